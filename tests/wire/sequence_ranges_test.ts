// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { checkRanges, fromRanges, toRanges } from "../../wire/sequence_ranges.ts";
import { forEachSeed } from "../seeded_random.ts";

Deno.test("fromRanges() undoes toRanges()", () => {
  forEachSeed(100, (random) => {
    const numbers = Array.from({ length: random.int(50) }, () => 1 + random.int(80));
    const ranges = checkRanges(toRanges(numbers), 80);
    assertEquals([...fromRanges(ranges)], [...new Set(numbers)].sort((a, b) => a - b));
  });
  assertEquals(toRanges([7, 1, 2, 3]), [1, 3, 7, 7]);
  assertEquals(toRanges([]), []);
});

Deno.test("checkRanges() refuses what no honest node sends", () => {
  for (
    const value of ["1", { length: 2 }, [1], [0, 1], [2, 1], [1, 4, 4, 5], [1.5, 2], [1, NaN], [1, 2 ** 60], [
      5,
      6,
      1,
      2,
    ]]
  ) {
    assertThrows(() => checkRanges(value, 100), TypeError, "Cannot read ranges");
  }
  assertThrows(() => checkRanges([1, 50, 60, 111], 101), TypeError, "more than 101");
  assertThrows(() => checkRanges([1, 2 ** 53 - 1], 100), TypeError, "more than 100");
});
