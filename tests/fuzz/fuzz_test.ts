// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertGreater, assertLess } from "@std/assert";
import { fuzz } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

const INPUTS = 10_000;

for (const target of TARGETS) {
  Deno.test(`Mutated input to ${target.name} is taken or clearly refused`, async () => {
    const before = Deno.memoryUsage().rss;
    const { refused } = await fuzz(target, 1, Math.ceil(INPUTS / TARGETS.length));
    assertGreater(refused, 0);
    assertLess((Deno.memoryUsage().rss - before) / 2 ** 20, 256);
  });
}
