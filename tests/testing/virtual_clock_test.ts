// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { forEachSeed } from "../seeded_random.ts";

Deno.test("VirtualClock runs calls in the order of their time, and of one instant as they were scheduled", () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  for (const [name, delay] of [["late", 9], ["one", 5], ["early", 0], ["two", 5], ["three", 5]] as const) {
    clock.schedule(delay, () => ran.push(`${name} at ${clock.now()}`));
  }
  while (clock.runNext());
  assertEquals(ran, ["early at 0", "one at 5", "two at 5", "three at 5", "late at 9"]);
});

Deno.test("VirtualClock runs what is left after any mix of schedules, cancels and runs in order, like a sorted list", () => {
  forEachSeed(50, (random) => {
    const clock = new VirtualClock();
    const model: { id: number; time: number; cancel: () => void }[] = [];
    const ran: number[] = [];
    for (let id = 0; id < 400; id++) {
      const action = random.int(4);
      if (action === 0 && model.length > 0) {
        const [gone] = model.splice(random.int(model.length), 1);
        gone?.cancel();
        gone?.cancel();
      } else if (action === 1) {
        model.sort((a, b) => a.time - b.time || a.id - b.id);
        const first = model.shift();
        assertEquals(clock.runNext(), first !== undefined);
        if (first !== undefined) {
          assertEquals(ran.pop(), first.id);
          assertEquals(clock.now(), first.time);
        }
      } else {
        const delay = random.int(8);
        const timer = clock.schedule(delay, () => ran.push(id));
        model.push({ id, time: clock.now() + delay, cancel: () => timer.cancel() });
      }
      assertEquals(clock.pending, model.length);
    }
  });
});

Deno.test("VirtualClock calls may schedule and cancel others", () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const doomed = clock.schedule(2, () => ran.push("doomed"));
  const timer = clock.schedule(1, () => {
    timer.cancel();
    doomed.cancel();
    clock.schedule(0, () => ran.push(`again at ${clock.now()}`));
  });
  while (clock.runNext());
  assertFalse(clock.runNext());
  assertEquals(ran, ["again at 1"]);
});

Deno.test("VirtualClock.moveTo() moves time, but not past a call or into the past", () => {
  const clock = new VirtualClock(1_000_000);
  clock.schedule(10, () => {});
  clock.moveTo(4);
  assertEquals([clock.now(), clock.wallTime()], [4, 1_000_004]);
  assertThrows(() => clock.moveTo(11), RangeError, "Cannot move to 11: now is 4, and the next call is at 10");
  assertThrows(() => clock.moveTo(3), RangeError, "Cannot move to 3");
});

Deno.test("VirtualClock.schedule() refuses delays that are negative or not numbers", () => {
  const clock = new VirtualClock();
  for (const delay of [-1, NaN]) assertThrows(() => clock.schedule(delay, () => {}), RangeError, `delay is ${delay}`);
});
