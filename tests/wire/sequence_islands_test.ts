// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { SequenceIslands } from "../../wire/sequence_islands.ts";
import { forEachSeed } from "../seeded_random.ts";

Deno.test("SequenceIslands takes each number once, in whatever order and however far apart they come", () => {
  forEachSeed(200, (random) => {
    const islands = new SequenceIslands(64, 1_000);
    const model = new Set<number>();
    let at = 1;
    for (let step = 0; step < 400; step++) {
      if (random.chance(0.05)) at = 1 + random.int(random.pick([500, 2 ** 40]));
      const sequence = Math.max(1, at - 10 + random.int(80));
      if (random.chance(0.7)) at++;
      const wasSeen = model.has(sequence);
      assertEquals(islands.has(sequence), wasSeen, `${sequence}`);
      assertEquals(islands.add(sequence), !wasSeen, `${sequence}`);
      assert(islands.has(sequence));
      model.add(sequence);
    }
  });
});

Deno.test("SequenceIslands loses one number to one that was made up, none of those between", () => {
  const islands = new SequenceIslands(64, 4);
  for (let sequence = 1; sequence <= 100; sequence++) assert(islands.add(sequence));
  for (const madeUp of [Number.MAX_SAFE_INTEGER, 165, 300]) assert(islands.add(madeUp));
  for (let sequence = 101; sequence <= 1_000; sequence++) {
    assertEquals(islands.add(sequence), sequence !== 165 && sequence !== 300, `${sequence}`);
  }
});

Deno.test("SequenceIslands remembers a bounded number of islands, the last ones", () => {
  const islands = new SequenceIslands(64, 3);
  for (let sequence = 1_000; sequence <= 9_000; sequence += 1_000) islands.add(sequence);
  assertEquals(islands.size, 3);
  assertFalse(islands.has(6_000));
  assert(islands.has(7_000));
});
