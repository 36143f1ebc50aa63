// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { DialSlots } from "../../../connections/dialer/dial_slots.ts";
import { LocalHealth } from "../../../runtime/local_health.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { nthOf, present } from "../../values.ts";

/** Dials that end when they are told to. */
class Dials {
  readonly begun: number[] = [];
  readonly #ends: PromiseWithResolvers<void>[] = [];
  readonly slots: DialSlots;

  constructor(clock: VirtualClock, health?: LocalHealth) {
    this.slots = new DialSlots(clock, 2_500, health);
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

Deno.test("DialSlots.run() lets eight dials begin, and the next one when one of them ends, in their order", async () => {
  const dials = new Dials(new VirtualClock());
  const runs = dials.begin(10);
  assertEquals(dials.begun, [0, 1, 2, 3, 4, 5, 6, 7]);
  await dials.end(3);
  assertEquals(dials.begun.slice(8), [8]);
  const refused = assertRejects(() => nthOf(runs, 8), Error, "refused");
  await dials.fail(8);
  await refused;
  assertEquals(dials.begun.slice(8), [8, 9]);
  for (const number of [0, 1, 2, 4, 5, 6, 7, 9]) await dials.end(number);
  await Promise.all(runs.filter((_, number) => number !== 8));
  dials.begin(8);
  assertEquals(dials.begun.length, 18);
});

Deno.test("DialSlots.run() gives the slot of a dial that takes long to the next one, once", async () => {
  const clock = new VirtualClock();
  const dials = new Dials(clock);
  dials.begin(18);
  assertEquals(dials.begun.length, 8);
  while (dials.begun.length < 16 && clock.runNext()) await turn();
  assertEquals(clock.now(), 2_500);
  assertEquals(dials.begun.length, 16);
  // What has given its slot back has none to give back when it ends.
  await dials.end(0);
  assertEquals(dials.begun.length, 16);
  await dials.end(15);
  assertEquals(dials.begun.length, 17);
});

Deno.test("DialSlots.forget() lets nothing that waits begin any more", async () => {
  const dials = new Dials(new VirtualClock());
  dials.begin(9);
  dials.slots.forget();
  await dials.end(0);
  assertEquals(dials.begun.length, 8);
});

Deno.test("DialSlots.run() gives dials after a failure four slots of their own, which keep no other dial waiting", async () => {
  const dials = new Dials(new VirtualClock());
  dials.begin(50, true);
  assertEquals(dials.begun, [0, 1, 2, 3]);
  dials.begin(9);
  assertEquals(dials.begun.slice(4), [50, 51, 52, 53, 54, 55, 56, 57]);
  await dials.end(0);
  assertEquals(dials.begun.slice(12), [4]);
  await dials.end(50);
  assertEquals(dials.begun.slice(13), [58]);
});

Deno.test("DialSlots.run() completes what has begun with a peer before it begins with another one", async () => {
  const dials = new Dials(new VirtualClock());
  dials.begin(10);
  dials.begin(1, false, true);
  assertEquals(dials.begun, [0, 1, 2, 3, 4, 5, 6, 7]);
  await dials.end(0);
  await dials.end(1);
  assertEquals(dials.begun.slice(8), [10, 8]);
});

Deno.test("DialSlots.run() lets fewer dials begin on a node that is late, and more again when it is not", async () => {
  const health = new LocalHealth(125);
  const dials = new Dials(new VirtualClock(), health);
  health.late(10_000);
  const runs = dials.begin(10);
  assertEquals(dials.begun, [0]);
  for (let times = 0; times < 8; times++) health.came(0);
  await dials.end(0);
  assertEquals(dials.begun, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  await dials.end(1);
  for (const number of [2, 3, 4, 5, 6, 7, 8, 9]) await dials.end(number);
  await Promise.all(runs);
});
