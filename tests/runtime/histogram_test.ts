// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { Histogram } from "../../runtime/histogram.ts";

Deno.test("a histogram counts values at or below each bound, and all together", () => {
  const histogram = new Histogram([1, 10, 100]);
  for (const value of [0, 1, 1.5, 10, 11, 1_000]) histogram.record(value);
  assertEquals(histogram.cumulative(), [2, 4, 5]);
  assertEquals([histogram.count, histogram.sum], [6, 1_023.5]);
});

Deno.test("a tap is told of each value for as long as it is there", () => {
  const histogram = new Histogram([1]);
  const told: number[] = [];
  const tap = (value: number) => told.push(value);
  histogram.record(1);
  histogram.taps.add(tap);
  histogram.record(2);
  histogram.taps.delete(tap);
  histogram.record(3);
  assertEquals([told, histogram.count], [[2], 3]);
});
