// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { WatchRing } from "../../gossip/watch_ring.ts";
import { seededRandom } from "../seeded_random.ts";

const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `node-${index}@10.0.0.1`);

Deno.test("WatchRing gives each of many nodes ten watchers and ten nodes to watch", () => {
  for (const size of [11, 12, 50, 200]) {
    const names = named(size);
    const ring = new WatchRing(names, 10);
    for (const name of names) {
      assertEquals(new Set(ring.watchersOf(name)).size, 10);
      assertEquals(new Set(ring.watchedBy(name)).size, 10);
      assertEquals(ring.watchersOf(name).includes(name), false);
    }
  }
});

Deno.test("WatchRing has everyone watch everyone else while they are few", () => {
  for (const size of [1, 2, 3, 11]) {
    const names = named(size);
    const ring = new WatchRing(names, 10);
    for (const name of names) {
      assertEquals(ring.watchersOf(name).sort(), names.filter((other) => other !== name).sort());
    }
  }
});

Deno.test("WatchRing.watchedBy() is the inverse of watchersOf()", () => {
  const names = named(60);
  const ring = new WatchRing(names, 10);
  for (const a of names) {
    for (const b of names) assertEquals(ring.watchersOf(a).includes(b), ring.watchedBy(b).includes(a));
  }
});

Deno.test("WatchRing is the same for all that know the same names, in whatever order and however often", () => {
  const names = named(40);
  const one = new WatchRing(names, 10);
  const other = new WatchRing([...names.toReversed(), ...names], 10);
  for (const name of names) assertEquals(one.watchersOf(name), other.watchersOf(name));
});

Deno.test("WatchRing changes the watch of few when one node comes", () => {
  const names = named(100);
  const before = new WatchRing(names, 10);
  const after = new WatchRing([...names, "late@10.0.0.2"], 10);
  const changed = names.filter((name) => before.watchedBy(name).join() !== after.watchedBy(name).join());
  assertLessOrEqual(changed.length, 10);
});

Deno.test("WatchRing knows no node to watch a stranger", () => {
  const ring = new WatchRing(named(5), 10);
  assertEquals(ring.watchersOf("stranger"), []);
  assertEquals(ring.watchedBy("stranger"), []);
});

Deno.test("WatchRing that is made of another one is the same as one that is made anew", () => {
  const { next } = seededRandom(5);
  const names = Array.from({ length: 60 }, (_, index) => `n${index}`);
  let ring = new WatchRing([], 3);
  for (let round = 0; round < 50; round++) {
    const some = names.filter(() => next() < 0.7);
    ring = new WatchRing(some, 3, ring);
    const anew = new WatchRing(some, 3);
    for (const name of names) {
      assertEquals([ring.watchersOf(name), ring.watchedBy(name)], [anew.watchersOf(name), anew.watchedBy(name)]);
    }
  }
});
