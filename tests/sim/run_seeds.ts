// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, fail } from "@std/assert";
import { reportFailure } from "./report.ts";
import { scenarioOf } from "./scenario.ts";
import { SEEDS } from "./seeds.ts";
import { simulate } from "./simulate.ts";

/** Seeds in one test. */
const SEEDS_PER_TEST = 50;

/** One run in so many is done twice, to see that it goes the same way. */
const RUNS_PER_REPETITION = 25;

/**
 * Registers tests that run a part of all seeds. Each part has a file of its own, so that they run side by side.
 *
 * @param part Number of the part, from 0.
 * @param parts Number of parts.
 */
export function testSeeds(part: number, parts: number): void {
  const seeds = SEEDS.filter((_, index) => index % parts === part);
  for (let start = 0; start < seeds.length; start += SEEDS_PER_TEST) {
    const some = seeds.slice(start, start + SEEDS_PER_TEST);
    Deno.test(`clusters keep their promises under faults: ${some.length} seeds from ${some[0]}`, () =>
      checkSeeds(some));
  }
}

/** Runs seeds, some of them twice. */
export async function checkSeeds(seeds: readonly number[]): Promise<void> {
  for (const [index, seed] of seeds.entries()) await check(seed, index % RUNS_PER_REPETITION === 0);
}

async function check(seed: number, isRepeated: boolean): Promise<void> {
  const outcome = await simulate(scenarioOf(seed));
  if (outcome.failure !== undefined) fail(reportFailure({ seed }, outcome));
  if (!isRepeated) return;
  const { historyHash } = await simulate(scenarioOf(seed));
  assertEquals(historyHash, outcome.historyHash, `Seed ${seed} has another history the second time`);
}
