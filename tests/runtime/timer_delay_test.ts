// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { TimerDelay } from "../../runtime/timer_delay.ts";

Deno.test("a timer that comes late tells for how long the event loop was held, and that is forgotten after a while", () => {
  const delay = new TimerDelay();
  delay.due(100);
  delay.came(100);
  assertEquals(delay.worst(100), 0);
  delay.due(200);
  assertEquals([delay.overdue(150), delay.overdue(900), delay.worst(900)], [0, 700, 700]);
  delay.came(1_000);
  assertEquals([delay.overdue(1_000), delay.worst(1_000)], [0, 800]);
  assertEquals([delay.worst(5_900), delay.worst(9_900), delay.worst(10_000)], [800, 800, 0]);
  assertEquals([delay.histogram.count, delay.histogram.sum], [2, 800]);
});

Deno.test("a timer that is to come no more is not late", () => {
  const delay = new TimerDelay();
  delay.due(100);
  delay.due(Infinity);
  assertEquals(delay.worst(1_000_000), 0);
});
