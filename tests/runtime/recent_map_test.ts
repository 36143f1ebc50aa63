// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { RecentMap } from "../../runtime/recent_map.ts";

Deno.test("A recent map answers like any other, also about the key that it was asked for last", () => {
  const map = new RecentMap<string, number>();
  assertEquals(map.get("a"), undefined);
  map.set("a", 1);
  assertEquals(map.get("a"), 1);
  map.set("b", 2);
  assertEquals([map.get("a"), map.get("b"), map.get("b")], [1, 2, 2]);
  map.set("b", 3);
  assertEquals([map.get("b"), map.size], [3, 2]);
});

Deno.test("A recent map forgets what it was asked for last together with the entry", () => {
  const map = new RecentMap<string, number>().set("a", 1).set("b", 2);
  assertEquals([map.get("b"), map.delete("b"), map.get("b"), map.delete("b")], [2, true, undefined, false]);
  assertEquals([map.get("a"), map.delete("b"), map.get("a")], [1, false, 1]);
  map.clear();
  assertEquals([map.get("a"), map.size], [undefined, 0]);
  map.set("a", 4);
  assertEquals([map.get("a"), [...map]], [4, [["a", 4]]]);
});
