// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { awakeClock } from "../../runtime/awake_clock.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";

/** Runs all that is due until nothing is left. */
function runAll(clock: VirtualClock): void {
  while (clock.peek() !== undefined) clock.runNext();
}

Deno.test("awakeClock() waits again for what a timer was late by", () => {
  const clock = new VirtualClock();
  const late = {
    ...clockOf(clock),
    schedule: (delay: number, callback: () => void) => clock.schedule(3 * delay, callback),
  };
  const called: number[] = [];
  awakeClock(late).schedule(100, () => called.push(clock.now()));
  runAll(clock);
  assertEquals(called, [300]);
});

Deno.test("awakeClock() calls at the time that was asked for where no timer is late, and not after cancel()", () => {
  const clock = new VirtualClock();
  const called: number[] = [];
  const awake = awakeClock(clock);
  awake.schedule(100, () => called.push(awake.now()));
  const dropped = awake.schedule(100, () => called.push(-1));
  clock.schedule(55, () => dropped.cancel());
  runAll(clock);
  assertEquals(called, [100]);
  assertEquals(awake.wallTime(), clock.wallTime());
});

function clockOf(clock: VirtualClock) {
  return { now: () => clock.now(), wallTime: () => clock.wallTime() };
}
