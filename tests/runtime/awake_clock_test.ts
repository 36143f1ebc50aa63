// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { awakeClock } from "../../runtime/awake_clock.ts";
import { LocalHealth } from "../../runtime/local_health.ts";
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

Deno.test("awakeClock() lets time pass more slowly on a node that is late", () => {
  const clock = new VirtualClock();
  const health = new LocalHealth(10);
  health.late(20);
  const called: number[] = [];
  awakeClock(clock, health).schedule(100, () => called.push(Math.round(clock.now())));
  // Fifteen parts of 10 ms at a third of the speed, the others at full speed.
  clock.schedule(155, () => {
    health.came(0);
    health.came(0);
  });
  runAll(clock);
  assertEquals(called, [200]);
});

Deno.test("awakeClock() needs no timer for a wait that begins before the one before it ends", () => {
  const clock = new VirtualClock();
  let scheduled = 0;
  const counting = {
    ...clockOf(clock),
    schedule(delay: number, callback: () => void) {
      scheduled++;
      return clock.schedule(delay, callback);
    },
  };
  const awake = awakeClock(counting);
  const called: number[] = [];
  let wait = awake.schedule(100, () => called.push(-1));
  for (let count = 0; count < 50; count++) {
    const next = awake.schedule(100, () => called.push(clock.now()));
    wait.cancel();
    wait = next;
  }
  assertEquals(scheduled, 1);
  runAll(clock);
  assertEquals(called, [100]);
});

Deno.test("awakeClock() calls after the delay of each wait, whatever other waits there are", () => {
  const clock = new VirtualClock();
  const called: [string, number][] = [];
  const awake = awakeClock(clock);
  const wait = (name: string, delay: number) =>
    awake.schedule(delay, () => called.push([name, Math.round(clock.now())]));
  wait("first", 100);
  clock.schedule(33, () => {
    wait("second", 100);
    wait("short", 20);
  });
  clock.schedule(66, () => wait("third", 100));
  runAll(clock);
  assertEquals(called, [["short", 53], ["first", 100], ["second", 133], ["third", 166]]);
});

function clockOf(clock: VirtualClock) {
  return { now: () => clock.now(), wallTime: () => clock.wallTime() };
}
