// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { DIAL_SLOTS, DialSlots } from "../../../connections/dialer/dial_slots.ts";
import { LocalHealth } from "../../../runtime/local_health.ts";
import type { CommonLoad } from "../../../runtime/runtime.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { nthOf, present } from "../../values.ts";
import { pass } from "../bare_runtime.ts";

/** Dials that end when they are told to. */
class Dials {
  readonly begun: number[] = [];
  readonly #ends: PromiseWithResolvers<void>[] = [];
  readonly slots: DialSlots;

  constructor(clock: VirtualClock, health?: LocalHealth, load?: CommonLoad) {
    this.slots = new DialSlots(clock, 2_500, health, load);
  }

  begin(count: number, hasFailed = false, isUrgent = false): Promise<void>[] {
    return Array.from({ length: count }, () => {
      const number = this.#ends.length;
      this.#ends.push(Promise.withResolvers());
      return this.slots.run(
        () => {
          this.begun.push(number);
          return present(this.#ends[number]).promise;
        },
        hasFailed,
        true,
        isUrgent,
      );
    });
  }

  async end(number: number): Promise<void> {
    present(this.#ends[number]).resolve();
    await turn();
  }

  async fail(number: number): Promise<void> {
    present(this.#ends[number]).reject(new Error("refused"));
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("DialSlots.run() lets 64 dials begin, and the next one when one of them ends, in their order", async () => {
  const dials = new Dials(new VirtualClock());
  const runs = dials.begin(DIAL_SLOTS + 2);
  assertEquals(dials.begun, [...Array(64).keys()]);
  await dials.end(3);
  assertEquals(dials.begun.slice(64), [64]);
  const refused = assertRejects(() => nthOf(runs, 64), Error, "refused");
  await dials.fail(64);
  await refused;
  assertEquals(dials.begun.slice(64), [64, 65]);
  for (let number = 0; number < 66; number++) if (number !== 3 && number !== 64) await dials.end(number);
  await Promise.all(runs.filter((_, number) => number !== 64));
  dials.begin(DIAL_SLOTS);
  assertEquals(dials.begun.length, 66 + 64);
});

Deno.test("DialSlots.run() gives the slot of a dial that takes long to the next one, once", async () => {
  const clock = new VirtualClock();
  const dials = new Dials(clock);
  dials.begin(2 * DIAL_SLOTS + 2);
  assertEquals(dials.begun.length, DIAL_SLOTS);
  while (dials.begun.length < 2 * DIAL_SLOTS && clock.runNext()) await turn();
  assertEquals(clock.now(), 2_500);
  assertEquals(dials.begun.length, 2 * DIAL_SLOTS);
  // What has given its slot back has none to give back when it ends.
  await dials.end(0);
  assertEquals(dials.begun.length, 2 * DIAL_SLOTS);
  await dials.end(2 * DIAL_SLOTS - 1);
  assertEquals(dials.begun.length, 2 * DIAL_SLOTS + 1);
});

Deno.test("DialSlots.forget() lets nothing that waits begin any more", async () => {
  const dials = new Dials(new VirtualClock());
  dials.begin(DIAL_SLOTS + 1);
  dials.slots.forget();
  await dials.end(0);
  assertEquals(dials.begun.length, DIAL_SLOTS);
});

Deno.test("DialSlots.run() gives dials after a failure four slots of their own, which keep no other dial waiting", async () => {
  const dials = new Dials(new VirtualClock());
  dials.begin(50, true);
  assertEquals(dials.begun, [0, 1, 2, 3]);
  dials.begin(DIAL_SLOTS + 1);
  assertEquals(dials.begun.slice(4), Array.from({ length: DIAL_SLOTS }, (_, index) => 50 + index));
  await dials.end(0);
  assertEquals(dials.begun.slice(4 + DIAL_SLOTS), [4]);
  await dials.end(50);
  assertEquals(dials.begun.slice(5 + DIAL_SLOTS), [50 + DIAL_SLOTS]);
});

Deno.test("DialSlots.run() lets 16 dials after a failure fail at once, then 8 a second, and any number succeed", async () => {
  const clock = new VirtualClock();
  const slots = new DialSlots(clock, 2_500);
  let begun = 0;
  const run = (outcome: () => Promise<unknown>) => {
    const dial = () => {
      begun++;
      return outcome();
    };
    return slots.run(dial, true).catch(() => {});
  };
  for (let count = 0; count < 40; count++) run(() => Promise.reject(new Error("Connection refused")));
  await pass(clock, 0);
  assertEquals(begun, 16);
  await pass(clock, 2_000);
  assertEquals(begun, 16 + 16);
  await pass(clock, 1_000);
  assertEquals(begun, 40);
  const succeeding = Array.from({ length: 40 }, () => run(() => Promise.resolve()));
  await pass(clock, 125);
  await Promise.all(succeeding);
  assertEquals(begun, 80);
});

Deno.test("DialSlots.run() completes what has begun with a peer before it begins with another one", async () => {
  const dials = new Dials(new VirtualClock());
  dials.begin(DIAL_SLOTS + 2);
  dials.begin(1, false, true);
  assertEquals(dials.begun.length, DIAL_SLOTS);
  await dials.end(0);
  await dials.end(1);
  assertEquals(dials.begun.slice(DIAL_SLOTS), [DIAL_SLOTS + 2, DIAL_SLOTS]);
});

Deno.test("DialSlots.run() lets as many dials begin on a node that is late, where its process has no others", async () => {
  const health = new LocalHealth(125);
  const dials = new Dials(new VirtualClock(), health);
  health.late(10_000);
  const runs = dials.begin(DIAL_SLOTS + 1);
  assertEquals(dials.begun.length, DIAL_SLOTS);
  for (let number = 0; number < DIAL_SLOTS + 1; number++) await dials.end(number);
  await Promise.all(runs);
});

Deno.test("DialSlots.run() lets the late nodes of a process have few dials more than one alone would have", async () => {
  const health = new LocalHealth(125);
  const load = { dials: 0 };
  const nodes = Array.from({ length: 10 }, () => new Dials(new VirtualClock(), health, load));
  health.late(10_000);
  const runs = nodes.flatMap((dials) => dials.begin(DIAL_SLOTS));
  assertEquals(nodes.map(({ begun }) => begun.length), [DIAL_SLOTS, ...Array(9).fill(7)]);
  assertEquals(load.dials, DIAL_SLOTS + 9 * 7);
  for (const dials of nodes) for (let number = 0; number < DIAL_SLOTS; number++) await dials.end(number);
  await Promise.all(runs);
  assertEquals(load.dials, 0);
});

Deno.test("DialSlots.run() lets fewer dials begin on a node that is late, and more again when it is not", async () => {
  const health = new LocalHealth(125);
  // Those of other nodes of its process.
  const dials = new Dials(new VirtualClock(), health, { dials: DIAL_SLOTS });
  health.late(10_000);
  const runs = dials.begin(DIAL_SLOTS + 2);
  assertEquals(dials.begun, [0, 1, 2, 3, 4, 5, 6]);
  for (let times = 0; times < 8; times++) health.came(0);
  await dials.end(0);
  assertEquals(dials.begun, [...Array(DIAL_SLOTS + 1).keys()]);
  for (let number = 1; number < DIAL_SLOTS + 2; number++) await dials.end(number);
  await Promise.all(runs);
});
