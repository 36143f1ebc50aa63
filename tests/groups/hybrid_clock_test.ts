// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { AHEAD_MAX_MS, HybridClock, isStamp, timeOf } from "../../groups/hybrid_clock.ts";

Deno.test("A hybrid clock keeps near the wall clock, and rises when that stands still or is set back", () => {
  let now = 1_000;
  const clock = new HybridClock(() => now);
  const first = clock.next();
  assertEquals(timeOf(first), 1_000);
  assert(clock.next() > first);
  now = 500;
  const third = clock.next();
  assert(third > first);
  assertEquals(timeOf(third), 1_000);
  now = 2_000.7;
  assertEquals(timeOf(clock.next()), 2_000);
});

Deno.test("A hybrid clock gives stamps above those that it followed, and does not follow a clock that is far ahead", () => {
  const clock = new HybridClock(() => 1_000);
  const ahead = new HybridClock(() => 30_000).next();
  assert(clock.follow(ahead));
  assert(clock.next() > ahead);
  const far = new HybridClock(() => 10_000_000).next();
  assert(!clock.follow(far));
  assertEquals(timeOf(clock.next()), 1_000 + AHEAD_MAX_MS);
});

Deno.test("A stamp is a safe integer above 0", () => {
  assert(isStamp(new HybridClock(() => Date.UTC(2200)).next()));
  for (const value of [0, -1, 1.5, NaN, Infinity, "1", null]) assert(!isStamp(value), `${value}`);
});
