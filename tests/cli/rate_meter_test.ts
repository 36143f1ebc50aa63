// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { RateMeter } from "../../cli/rate_meter.ts";

Deno.test("RateMeter.update() gives the rate since the first count, and then over the last second", () => {
  const meter = new RateMeter();
  assertEquals(meter.update(1_000, 50), 0);
  assertEquals(meter.update(1_250, 60), 40);
  assertEquals(meter.update(2_000, 60), 10);
  assertEquals(meter.update(2_250, 60), 0);
  assertEquals(meter.update(3_000, 160), 100);
});

Deno.test("RateMeter.update() does not divide by a time of zero", () => {
  const meter = new RateMeter();
  meter.update(5, 0);
  assertEquals(meter.update(5, 10), 0);
});
