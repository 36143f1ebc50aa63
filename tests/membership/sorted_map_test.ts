// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { SortedMap } from "../../membership/sorted_map.ts";
import { forEachSeed } from "../seeded_random.ts";

Deno.test("SortedMap does what a Map does, in the order of its keys, and leaves the earlier map as it was", () => {
  forEachSeed(200, (random) => {
    const model = new Map<string, number>();
    let map = SortedMap.from<number>([]);
    for (let step = 0; step < 30; step++) {
      const before = { map, entries: [...map.keys].map((key) => [key, map.get(key)]) };
      if (random.chance(0.3)) {
        const key = `${random.int(12)}`;
        model.delete(key);
        map = map.without(key);
      } else {
        const keys = [...new Set(Array.from({ length: random.int(4) }, () => `${random.int(12)}`))].sort();
        for (const key of keys) model.set(key, step);
        map = map.with(keys.map((key) => [key, step]));
      }
      const expected = [...model].sort(([a], [b]) => a < b ? -1 : 1);
      assertEquals(map.keys.map((key, index) => [key, map.values[index]]), expected);
      assertEquals(map.size, model.size);
      for (let key = 0; key < 12; key++) {
        assertEquals(map.get(`${key}`), model.get(`${key}`));
        assertEquals(map.has(`${key}`), model.has(`${key}`));
      }
      assertEquals([...before.map.keys].map((key) => [key, before.map.get(key)]), before.entries);
    }
  });
});

Deno.test("SortedMap.with() and without() return the map itself when there is nothing to do", () => {
  const map = SortedMap.from([["b", 2], ["a", 1]]);
  assertStrictEquals(map.with([]), map);
  assertStrictEquals(map.without("c"), map);
});
