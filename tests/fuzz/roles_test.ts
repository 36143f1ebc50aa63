// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertLess } from "@std/assert";
import { ownMemory } from "../own_memory.ts";
import { LiarWorld, type Role } from "./roles.ts";

/** Frames that each role makes up. */
const INPUTS: Readonly<Record<Role, number>> = { outsider: 500, stranger: 5_000, member: 5_000 };

for (const role of ["outsider", "stranger", "member"] as const) {
  Deno.test(`Whatever a ${role} makes up, members go on, and what they promise is so`, async () => {
    const before = ownMemory();
    await using world = new LiarWorld(role, 1);
    await world.lie(INPUTS[role]);
    assertLess((ownMemory() - before) / 2 ** 20, 512);
  });
}

/** Seeds of clusters with partial views. */
for (const seed of [2, 3, 5, 6]) {
  Deno.test(`Whatever a member makes up over a partial view, members go on, and what they promise is so: seed ${seed}`, async () => {
    await using world = new LiarWorld("member", seed);
    await world.lie(1_000);
  });
}
