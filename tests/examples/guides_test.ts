// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";

const GUIDES = ["chat", "work_queue", "cron", "rate_limiter", "config_map", "file_stream"];
const ROOT = new URL("../../", import.meta.url);

async function linesOf(path: string): Promise<string[]> {
  return (await Deno.readTextFile(new URL(path, ROOT))).trimEnd().split("\n");
}

Deno.test("Each guide is under 80 lines, its simulated test under 20, and README links to it", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  for (const guide of GUIDES) {
    const lines = await linesOf(`examples/${guide}.ts`);
    assert(lines.length < 80, `examples/${guide}.ts has ${lines.length} lines`);
    const test = await linesOf(`tests/examples/${guide}_test.ts`);
    const [begin, ...others] = test.flatMap((line, index) => line.startsWith("Deno.test(") ? [index] : []);
    assertEquals(others, [], guide);
    assert(begin !== undefined && test.length - begin < 20, `the test of ${guide} has ${test.length} lines`);
    assert(test.some((line) => line.includes("await using cluster = await SimulatedCluster.start(")), guide);
    assert(readme.includes(`](examples/${guide}.ts)`), `README.md does not link to ${guide}`);
  }
});
