// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { fullMesh } from "@partisan/peer-service/strategy";
import { strategyChecks, type StrategyTestOptions, testStrategy } from "@partisan/peer-service/testing";
import { BROKEN_STRATEGIES, type BrokenStrategy } from "./broken_strategies.ts";
import { firstOf, present } from "../values.ts";

const OPTIONS: StrategyTestOptions = {
  names: ["a", "b", "c", "d", "e", "f"],
  seeds: [1],
  knowsAll: true,
  isSymmetric: true,
  settle: 15_000,
};

const failures = new Map<BrokenStrategy, ReadonlyMap<string, string>>();

/** Messages of the checks that a broken strategy fails, by their names. */
function failuresOf(broken: BrokenStrategy): ReadonlyMap<string, string> {
  const known = failures.get(broken);
  if (known !== undefined) return known;
  const found = new Map<string, string>();
  for (const { name, run } of strategyChecks(broken.create, OPTIONS)) {
    try {
      run();
    } catch (error) {
      assert(error instanceof Error);
      found.set(name.replace('strategy "broken" ', ""), error.message);
    }
  }
  failures.set(broken, found);
  return found;
}

for (const broken of BROKEN_STRATEGIES) {
  Deno.test(`testStrategy() finds a strategy that ${broken.what}`, () => {
    const found = failuresOf(broken);
    const names = [...found.keys()];
    for (const start of broken.fails) assert(names.some((name) => name.startsWith(start)), `${start}: ${names}`);
    assertStringIncludes([...found.values()].join("\n"), broken.complaint);
  });
}

Deno.test("each of testStrategy()'s checks finds a strategy that is wrong", () => {
  const found = new Set(BROKEN_STRATEGIES.flatMap((broken) => [...failuresOf(broken).keys()]));
  const names = strategyChecks(firstOf(BROKEN_STRATEGIES).create, OPTIONS)
    .map(({ name }) => name.replace('strategy "broken" ', ""));
  assertEquals(names.filter((name) => !found.has(name)), []);
});

Deno.test("testStrategy() says all that is wrong at once, with the seed", () => {
  const wrong = present(BROKEN_STRATEGIES.find(({ what }) => what === "never joins"));
  const { message } = assertThrows(() => testStrategy(wrong.create, OPTIONS), Error);
  assertStringIncludes(message, "checks fail\n- strategy");
  assertStringIncludes(
    message,
    "takes joins that are repeated, and those that go both ways: Seed 1: the nodes are not connected",
  );
});

Deno.test("testStrategy() finds nothing wrong with a full mesh of six", () => {
  testStrategy(fullMesh, OPTIONS);
});

Deno.test("testStrategy() needs six nodes", () => {
  assertThrows(() => testStrategy(fullMesh, { names: ["a", "b"] }), RangeError, "expected at least 6");
});
