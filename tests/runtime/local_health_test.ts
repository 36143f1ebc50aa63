// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { LocalHealth } from "../../runtime/local_health.ts";

Deno.test("a node whose timers are late has more patience, up to nine times as much, until they are in time again", () => {
  const health = new LocalHealth(125);
  health.came(124);
  assertEquals([health.multiplier, health.stretch], [1, 1]);
  health.came(130);
  assertEquals([health.multiplier, health.stretch], [2, 2]);
  health.came(7_000);
  assertEquals([health.multiplier, health.stretch], [9, 4]);
  for (let times = 0; times < 7; times++) health.came(0);
  assertEquals(health.multiplier, 2);
  health.came(0);
  health.came(0);
  assertEquals(health.multiplier, 1);
});

Deno.test("a timer that comes once tells of lateness, and not that it is over", () => {
  const health = new LocalHealth(125);
  health.late(260);
  health.late(0);
  assertEquals(health.multiplier, 3);
});
