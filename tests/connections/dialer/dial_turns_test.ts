// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { DialTurns, type WaitingDialer } from "../../../connections/dialer/dial_turns.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { pass } from "../bare_runtime.ts";

/** A clock that counts the timers that it was asked for. */
class CountingClock extends VirtualClock {
  scheduled = 0;

  override schedule(delay: number, callback: () => void) {
    this.scheduled++;
    return super.schedule(delay, callback);
  }
}

/** A dialer whose turn is at a time, and who has its turns written down. */
function waiter(clock: VirtualClock, at: number, turns: number[], lookEvery = Infinity): WaitingDialer {
  return {
    turnAt: () => at,
    lookAt: (now) => Math.min(at, now + lookEvery),
    reconcile: () => void turns.push(clock.now()),
  };
}

Deno.test("DialTurns gives each dialer its turn in time, with one timer for all that wait", async () => {
  const clock = new CountingClock();
  const dials = new DialTurns(clock);
  const turns: number[] = [];
  for (let at = 100; at <= 200; at++) dials.wait(waiter(clock, at, turns), 0);
  assertEquals([clock.scheduled, clock.pending], [1, 1]);
  dials.wait(waiter(clock, 50, turns), 0);
  await pass(clock, 300);
  assertEquals(turns, [50, ...Array.from({ length: 101 }, (_, index) => 100 + index)]);
  assertEquals(clock.pending, 0);
});

Deno.test("DialTurns gives a dialer no turn that waits no longer, and keeps no timer for none", async () => {
  const clock = new CountingClock();
  const dials = new DialTurns(clock);
  const turns: number[] = [];
  const [first, second] = [waiter(clock, 100, turns), waiter(clock, 150, turns)];
  dials.wait(first, 0);
  dials.wait(second, 0);
  dials.end(first);
  await pass(clock, 120);
  assertEquals(turns, []);
  dials.end(second);
  assertEquals(clock.pending, 0);
  dials.end(second);
  await pass(clock, 120);
  assertEquals(turns, []);
});

Deno.test("DialTurns looks again whether the turn of a dialer has come that came sooner than was expected", async () => {
  const clock = new CountingClock();
  const dials = new DialTurns(clock);
  const turns: number[] = [];
  let at = 1_000;
  dials.wait({ ...waiter(clock, 0, turns), turnAt: () => at, lookAt: (now) => Math.min(at, now + 100) }, 0);
  await pass(clock, 150);
  at = 120;
  await pass(clock, 50);
  assertEquals(turns, [200]);
});

Deno.test("DialTurns lets a dialer that had its turn wait again", async () => {
  const clock = new CountingClock();
  const dials = new DialTurns(clock);
  const turns: number[] = [];
  let at = 10;
  const again: WaitingDialer = {
    turnAt: () => at,
    lookAt: () => at,
    reconcile() {
      turns.push(clock.now());
      at += 10;
      if (turns.length < 3) dials.wait(again, clock.now());
    },
  };
  dials.wait(again, 0);
  await pass(clock, 100);
  assertEquals([turns, clock.pending], [[10, 20, 30], 0]);
});
