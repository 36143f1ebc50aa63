// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { SequenceRing } from "../../wire/sequence_ring.ts";
import { forEachSeed } from "../seeded_random.ts";

Deno.test("SequenceRing holds what a map would, whatever is put in and taken out", () => {
  forEachSeed(100, (random) => {
    const first = random.pick([1, 60, 2 ** 31 - 100, 2 ** 40]);
    const ring = new SequenceRing<string>(first);
    const map = new Map<number, string>();
    let next = first;
    for (let step = 0; step < 500; step++) {
      if (random.chance(0.6)) {
        assertEquals(ring.next, next);
        assertEquals(ring.push(`${next}`), next);
        map.set(next, `${next}`);
        next++;
      } else {
        // Most go in order.
        const sequence = random.chance(0.7) ? ring.floor : first + random.int(next - first + 2) - 1;
        ring.take(sequence);
        map.delete(sequence);
      }
      const probe = first + random.int(next - first + 2) - 1;
      assertEquals(ring.get(probe), map.get(probe));
      assertEquals(ring.floor, Math.min(next, ...map.keys()));
    }
    assertEquals(ring.values(), [...map.values()]);
  });
});

Deno.test("SequenceRing grows when what is in it spans more than it has room for, and keeps its order", () => {
  const ring = new SequenceRing<number>(40);
  for (let value = 0; value < 1_000; value++) ring.push(value);
  assertEquals(ring.values(), Array.from({ length: 1_000 }, (_, value) => value));
  assertEquals(ring.floor, 40);
  for (let sequence = 40; sequence < 1_000; sequence++) ring.take(sequence);
  assertEquals(ring.values(), Array.from({ length: 40 }, (_, value) => 960 + value));
  assertEquals(ring.floor, 1_000);
});
