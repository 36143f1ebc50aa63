// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertMatch } from "@std/assert";
import { denoTest, type DenoTestOptions, type Tally } from "./deno_test.ts";

/** The tally of a module of tests. */
async function tallyOf(source: string, options: DenoTestOptions = {}): Promise<Tally> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/some_test.ts`, source);
    return await denoTest(["--no-check", "--no-config", `${folder}/some_test.ts`], { ...options, quiet: true });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("denoTest() counts what passed, failed and was skipped", async () => {
  const source = `
    Deno.test("one", () => {});
    Deno.test("two", () => {});
    Deno.test("three", () => { throw new Error("That is how it should be"); });
    Deno.test.ignore("four", () => {});
  `;
  const { failures, ...counts } = await tallyOf(source);
  assertEquals(counts, { passed: 2, failed: 1, ignored: 1 });
  assertEquals(failures.length, 1);
});

Deno.test("denoTest() names what failed, a step with its test", async () => {
  const source = `
    Deno.test("one", () => {});
    Deno.test("two", () => { throw new Error("That is how it should be"); });
    Deno.test("three", async (t) => { await t.step("inner", () => { throw new Error("That is how it should be"); }); });
  `;
  const { failures } = await tallyOf(source);
  assertEquals(failures.map((failure) => failure.replace(/ => .*/, "")), ["two", "three ... inner"]);
});

Deno.test("denoTest() counts a module that does not load as a failure", async () => {
  const { failures, ...counts } = await tallyOf(`throw new Error("That is how it should be");`);
  assertEquals(counts, { passed: 0, failed: 1, ignored: 0 });
  assertMatch(failures.join("\n"), /^\S+some_test\.ts \(uncaught error\)$/);
});

for (
  const [how, body] of [["waits", "await new Promise(() => setInterval(() => {}, 1_000))"], ["spins", "for (;;);"]]
) {
  Deno.test(`denoTest() ends a test that ${how} without end, and counts it as a failure`, async () => {
    const source = `Deno.test("endless", async () => { ${body} });`;
    const { passed, failed } = await tallyOf(source, { silenceMs: 1_000 });
    assertEquals({ passed, failed }, { passed: 0, failed: 1 });
  });
}
