// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { type DialedSlot, SharedDials } from "../../../connections/dialer/shared_dials.ts";
import { firstOf, lastOf, nthOf } from "../../values.ts";

const SLOT: DialedSlot = ["b", "default", 0];

/** Shared dials, each of which ends when the test says so. */
class Bench {
  readonly clock = new VirtualClock();
  readonly dials = new SharedDials<string>(this.clock);
  readonly begun: PromiseWithResolvers<string>[] = [];

  join(slot: DialedSlot = SLOT, signal?: AbortSignal): Promise<string> {
    return this.dials.join(slot, () => {
      this.begun.push(Promise.withResolvers());
      return lastOf(this.begun).promise;
    }, signal);
  }
}

Deno.test("SharedDials begins one dial for all that want the same slot, and another one once it is over", async () => {
  const bench = new Bench();
  const [first, second] = [bench.join(), bench.join()];
  assertEquals(bench.begun.length, 1);
  firstOf(bench.begun).resolve("connection");
  assertEquals([await first, await second], ["connection", "connection"]);
  const third = bench.join();
  assertEquals(bench.begun.length, 2);
  nthOf(bench.begun, 1).reject(new Error("Connection refused"));
  await assertRejects(() => third, Error, "Connection refused");
  bench.join();
  assertEquals(bench.begun.length, 3);
});

Deno.test("SharedDials tells slots apart, whatever their names look like", () => {
  const bench = new Bench();
  const slots: DialedSlot[] = [["a b", "c", 1], ["a", "b c", 1], ["a", "b", 1], ["a b c", "", 1], ["a", "b", 11]];
  for (const slot of slots) bench.join(slot);
  assertEquals(bench.begun.length, slots.length);
});

Deno.test("SharedDials lets one that waits give up without ending the dial", async () => {
  const bench = new Bench();
  const first = bench.join();
  const controller = new AbortController();
  const second = bench.join(SLOT, controller.signal);
  const late = bench.join(SLOT, AbortSignal.abort(new Error("Too late")));
  controller.abort(new Error("Enough"));
  await assertRejects(() => second, Error, "Enough");
  await assertRejects(() => late, Error, "Too late");
  firstOf(bench.begun).resolve("connection");
  assertEquals(await first, "connection");
});

Deno.test("SharedDials.hasJustBegun() holds for a dial under way that is not too old", async () => {
  const bench = new Bench();
  assertEquals(bench.dials.hasJustBegun(SLOT, 100), false);
  const dial = bench.join();
  bench.clock.moveTo(99);
  assertEquals(bench.dials.hasJustBegun(SLOT, 100), true);
  assertEquals(bench.dials.hasJustBegun(["b", "default", 1], 100), false);
  bench.clock.moveTo(100);
  assertEquals(bench.dials.hasJustBegun(SLOT, 100), false);
  assertEquals(bench.dials.hasJustBegun(SLOT, 200), true);
  firstOf(bench.begun).resolve("connection");
  await dial;
  assertEquals(bench.dials.hasJustBegun(SLOT, 200), false);
});

Deno.test("SharedDials.forget() lets no node join what was begun before, and what that leads to ends nothing newer", async () => {
  const bench = new Bench();
  const former = bench.join();
  bench.dials.forget();
  assertEquals(bench.dials.hasJustBegun(SLOT, 100), false);
  bench.join();
  assertEquals(bench.begun.length, 2);
  firstOf(bench.begun).resolve("former");
  assertEquals(await former, "former");
  bench.join();
  assertEquals(bench.begun.length, 2);
});
