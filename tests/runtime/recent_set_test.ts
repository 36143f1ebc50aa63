// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { RecentSet } from "../../runtime/recent_set.ts";
import { seededRandom } from "../seeded_random.ts";

Deno.test("A recent set answers like any other, whichever number was added last", () => {
  const random = seededRandom(1);
  const recent = new RecentSet();
  const plain = new Set<number>();
  for (let step = 0; step < 2_000; step++) {
    const value = 1 + random.int(8);
    assertEquals([recent.has(value), recent.size], [plain.has(value), plain.size]);
    if (random.chance(0.5)) {
      assertEquals(recent.delete(value), plain.delete(value));
    } else if (!plain.has(value)) {
      recent.add(value);
      plain.add(value);
    }
  }
});

Deno.test("A recent set holds numbers above 0 alone", () => {
  const recent = new RecentSet();
  for (const value of [0, -1, NaN]) {
    assertThrows(() => recent.add(value), RangeError, "expected a number above 0");
    assertEquals([recent.has(value), recent.delete(value), recent.size], [false, false, 0]);
  }
});
