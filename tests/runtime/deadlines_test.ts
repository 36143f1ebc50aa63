// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { Clock } from "../../runtime/runtime.ts";
import { LocalHealth } from "../../runtime/local_health.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { Deadlines } from "../../runtime/deadlines.ts";

/** Attempts that say what became of them. */
class Attempts {
  readonly clock = new VirtualClock();
  readonly given: string[] = [];
  readonly #deadlines: Deadlines;

  constructor(health?: LocalHealth) {
    this.#deadlines = new Deadlines(this.clock, 100, () => `late at ${Math.round(this.clock.now())}`, health);
  }

  begin(name: string): Disposable {
    return this.#deadlines.begin((reason) => void this.given.push(`${name}: ${reason}`));
  }

  giveUpAll(): void {
    this.#deadlines.giveUpAll("stopped");
  }

  /** Lets time pass, and what becomes due in it happen. */
  pass(milliseconds: number): void {
    const end = this.clock.now() + milliseconds;
    while ((this.clock.peek()?.time ?? Infinity) <= end) this.clock.runNext();
    this.clock.moveTo(end);
  }
}

Deno.test("Deadlines gives up each attempt when its time is up, with one timer for all", () => {
  const attempts = new Attempts();
  attempts.begin("a");
  attempts.pass(30);
  attempts.begin("b");
  attempts.begin("c");
  assertEquals(attempts.clock.pending, 1);
  attempts.pass(69);
  assertEquals(attempts.given, []);
  attempts.pass(1);
  assertEquals(attempts.given, ["a: late at 100"]);
  attempts.pass(30);
  assertEquals(attempts.given.slice(1), ["b: late at 130", "c: late at 130"]);
  assertEquals(attempts.clock.pending, 0);
});

Deno.test("Deadlines leaves attempts alone that have ended, and no timer when all have", () => {
  const attempts = new Attempts();
  const [a, b] = [attempts.begin("a"), attempts.begin("b")];
  a[Symbol.dispose]();
  assertEquals(attempts.clock.pending, 1);
  b[Symbol.dispose]();
  assertEquals(attempts.clock.pending, 0);
  attempts.begin("c");
  attempts.pass(50);
  const d = attempts.begin("d");
  attempts.pass(60);
  d[Symbol.dispose]();
  attempts.pass(100);
  assertEquals(attempts.given, ["c: late at 100"]);
});

Deno.test("Deadlines.giveUpAll() gives up every attempt at once", () => {
  const attempts = new Attempts();
  attempts.begin("a");
  attempts.begin("b");
  attempts.giveUpAll();
  assertEquals(attempts.given, ["a: stopped", "b: stopped"]);
  attempts.giveUpAll();
  attempts.pass(200);
  assertEquals([attempts.given.length, attempts.clock.pending], [2, 0]);
});

Deno.test("Deadlines does not count the time in which the process did not run", () => {
  const clock = new VirtualClock();
  // A process that gets a third of the time that it needs: all of its timers are late.
  const starved: Clock = {
    now: () => clock.now(),
    wallTime: () => clock.wallTime(),
    schedule: (delay, callback) => clock.schedule(3 * delay, callback),
  };
  const deadlines = new Deadlines(starved, 100, () => undefined);
  const givenUp: number[] = [];
  deadlines.begin(() => givenUp.push(clock.now()));
  while (clock.peek() !== undefined) clock.runNext();
  assertEquals(givenUp, [300]);
  // One that begins while the process stands still has all of its time once it runs again.
  deadlines.begin(() => {});
  clock.moveTo(325);
  deadlines.begin(() => givenUp.push(clock.now()));
  while (clock.peek() !== undefined) clock.runNext();
  assertEquals(givenUp, [300, 630]);
});

Deno.test("Deadlines of a node that is late itself are as many times as long", () => {
  const health = new LocalHealth(125);
  const attempts = new Attempts(health);
  attempts.begin("a");
  health.late(250);
  attempts.pass(299);
  assertEquals(attempts.given, []);
  attempts.pass(2);
  assertEquals(attempts.given, ["a: late at 300"]);
});
