// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { backoffDelay } from "../../../connections/dialer/backoff.ts";

const OPTIONS = { initial: 50, cap: 2000 };

Deno.test("backoffDelay() is 0 before anything failed", () => {
  assertEquals(backoffDelay(0, 0.5, OPTIONS), 0);
});

Deno.test("backoffDelay() doubles with each failure up to the cap, and stays there without end", () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 100, 1e6, 1e15].map((failures) => backoffDelay(failures, 0, OPTIONS));
  assertEquals(delays, [50, 100, 200, 400, 800, 1600, 2000, 2000, 2000, 2000, 2000]);
});

Deno.test("backoffDelay() takes off up to a half at random, and no more", () => {
  for (const failures of [1, 3, 50]) {
    const full = backoffDelay(failures, 0, OPTIONS);
    assertEquals(backoffDelay(failures, 0.5, OPTIONS), full * 0.75);
    for (let random = 0; random < 1; random += 0.01) {
      assertGreater(backoffDelay(failures, random, OPTIONS), full / 2);
      assertLessOrEqual(backoffDelay(failures, random, OPTIONS), full);
    }
  }
});
