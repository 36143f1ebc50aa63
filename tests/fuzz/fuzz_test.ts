// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertGreater, assertLess } from "@std/assert";
import { ownMemory } from "../own_memory.ts";
import { fuzz } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

const INPUTS = 10_000;

for (const target of TARGETS) {
  Deno.test(`Mutated input to ${target.name} is taken or clearly refused`, async () => {
    const before = ownMemory();
    const { refused } = await fuzz(target, 1, Math.ceil(INPUTS / TARGETS.length));
    assertGreater(refused, 0);
    assertLess((ownMemory() - before) / 2 ** 20, 256);
  });
}
