// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { TimerTurns } from "../../runtime/timer_turns.ts";

/** An event loop whose turns and time are the test's. */
class Loop {
  time = 0;
  readonly failures: unknown[] = [];
  readonly turns: TimerTurns = new TimerTurns({
    now: () => this.time,
    nextTurn: (callback) => this.#next.push(callback),
    failed: (error) => this.failures.push(error),
  });
  #next: (() => void)[] = [];

  turn(count = 1): void {
    for (let turns = 0; turns < count; turns++) this.#next.splice(0).forEach((callback) => callback());
  }
}

Deno.test("a timer that comes in time is called at once", () => {
  const loop = new Loop();
  const called: number[] = [];
  for (let timer = 0; timer < 3; timer++) loop.turns.run(0, () => called.push(timer));
  assertEquals(called, [0, 1, 2]);
});

Deno.test("a timer that is late is called after so many turns that every socket was looked at", () => {
  const loop = new Loop();
  let calls = 0;
  loop.time = 31;
  loop.turns.run(0, () => calls++);
  loop.turn(63);
  assertEquals(calls, 0);
  loop.turn();
  assertEquals(calls, 1);
});

Deno.test("timers that are due in time, one after the other, do not keep the loop from the sockets", () => {
  const loop = new Loop();
  let calls = 0;
  // Each takes 5 ms, in which the next one becomes due: without a break they would go on for as long as they like.
  for (let timer = 0; timer < 100; timer++) {
    loop.turns.run(loop.time, () => calls++);
    loop.time += 5;
  }
  assertEquals(calls, 2);
  loop.turn(64);
  assertEquals(calls, 100);
});

Deno.test("those that waited are called for no longer than timers may hold the loop, then sockets come first again", () => {
  const loop = new Loop();
  const called: number[] = [];
  loop.time = 1_000;
  for (let timer = 0; timer < 5; timer++) {
    loop.turns.run(0, () => {
      called.push(timer);
      loop.time += 4;
    });
  }
  loop.turn(64);
  assertEquals(called, [0, 1]);
  loop.turn(64);
  assertEquals(called, [0, 1, 2, 3]);
  // One that comes meanwhile waits for its turn.
  loop.turns.run(loop.time, () => called.push(5));
  loop.turn(64);
  assertEquals(called, [0, 1, 2, 3, 4, 5]);
});

Deno.test("what one of those that waited throws keeps none of the others from being called", () => {
  const loop = new Loop();
  let calls = 0;
  loop.time = 1_000;
  loop.turns.run(0, () => {
    throw new Error("broken");
  });
  loop.turns.run(0, () => calls++);
  loop.turn(64);
  assertEquals([calls, loop.failures.map(String)], [1, ["Error: broken"]]);
});
