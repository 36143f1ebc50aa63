// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { denoTest, type DenoTestOptions } from "./deno_test.ts";

/** The tally of a module of tests. */
async function tallyOf(source: string, options: DenoTestOptions = {}): Promise<unknown> {
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
  assertEquals(await tallyOf(source), { passed: 2, failed: 1, ignored: 1 });
});

Deno.test("denoTest() counts a module that does not load as a failure", async () => {
  assertEquals(await tallyOf(`throw new Error("That is how it should be");`), { passed: 0, failed: 1, ignored: 0 });
});

for (
  const [how, body] of [["waits", "await new Promise(() => setInterval(() => {}, 1_000))"], ["spins", "for (;;);"]]
) {
  Deno.test(`denoTest() ends a test that ${how} without end, and counts it as a failure`, async () => {
    const source = `Deno.test("endless", async () => { ${body} });`;
    assertEquals(await tallyOf(source, { silenceMs: 1_000 }), { passed: 0, failed: 1, ignored: 0 });
  });
}
