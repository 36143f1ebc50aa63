// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLess, assertNotEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../../testing/seeded_random.ts";

function draw(random: SeededRandom, count = 5): number[] {
  return Array.from({ length: count }, () => random.uint32());
}

Deno.test("SeededRandom gives the same numbers for the same seed, and others for another", () => {
  assertEquals(draw(new SeededRandom(1)), draw(new SeededRandom(1)));
  assertEquals(draw(new SeededRandom(1)), draw(new SeededRandom("1")));
  assertNotEquals(draw(new SeededRandom(1)), draw(new SeededRandom(2)));
});

Deno.test("SeededRandom gives these numbers on every machine", () => {
  assertEquals(draw(new SeededRandom(42)), [2768186872, 2512416491, 3710707897, 2897112526, 1333886130]);
});

Deno.test("SeededRandom.fork() depends on the seed and its label alone", () => {
  const random = new SeededRandom(7);
  const early = draw(random.fork("a"));
  draw(random, 100);
  draw(random.fork("b"), 100);
  assertEquals(draw(random.fork("a")), early);
  assertNotEquals(draw(random.fork("b")), early);
  assertNotEquals(draw(new SeededRandom(8).fork("a")), early);
  assertNotEquals(draw(random.fork("a").fork("a")), early);
});

Deno.test("SeededRandom.next() fills [0, 1) evenly, bit by bit, for neighbouring seeds too", () => {
  const buckets = new Array<number>(64).fill(0);
  const ones = new Array<number>(32).fill(0);
  const draws = 64_000;
  for (let seed = 0; seed < draws / 10; seed++) {
    const random = new SeededRandom(seed);
    for (let i = 0; i < 10; i++) {
      const word = random.uint32();
      const bucket = Math.floor((word / 2 ** 32) * 64);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      for (let bit = 0; bit < 32; bit++) ones[bit] = (ones[bit] ?? 0) + ((word >>> bit) & 1);
    }
  }
  const expected = draws / 64;
  const chiSquared = buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assertLess(chiSquared, 110);
  for (const count of ones) assertLess(Math.abs(count - draws / 2), 5 * Math.sqrt(draws / 4));
});

Deno.test("SeededRandom.int(), pick() and shuffle() stay within what they are given", () => {
  const random = new SeededRandom("helpers");
  const ints = new Set(Array.from({ length: 200 }, () => random.int(3)));
  assertEquals([...ints].sort(), [0, 1, 2]);
  assert(["x", "y"].includes(random.pick(["x", "y"])));
  assertThrows(() => random.pick([]), RangeError, "there are no choices");
  const items = [1, 2, 3, 4, 5, 6, 7, 8];
  const shuffled = random.shuffle(items);
  assertNotEquals(shuffled, items);
  assertEquals(shuffled.sort(), items);
});

Deno.test("SeededRandom.bytes() gives as many as asked", () => {
  assertEquals(new SeededRandom(1).bytes(0).length, 0);
  const bytes = new SeededRandom(1).bytes(5000);
  assertEquals(bytes.length, 5000);
  assertEquals(new Set(bytes).size, 256);
});
