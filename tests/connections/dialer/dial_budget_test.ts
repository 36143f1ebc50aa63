// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { DialBudget } from "../../../connections/dialer/dial_budget.ts";
import { bareRuntime, pass } from "../bare_runtime.ts";

/** A budget of four at once, and one a second. */
function bench() {
  const { clock } = bareRuntime();
  const budget = new DialBudget(clock, { burst: 4, perSecond: 1 });
  const dials: number[] = [];
  const run = async (outcome: () => Promise<unknown>) => {
    await budget.take();
    dials.push(clock.now());
    budget.end(await outcome().then(() => false, (error) => error.message !== "refused"));
  };
  return { clock, budget, dials, run };
}

Deno.test("DialBudget lets so many dials fail at once, and then so many a second", async () => {
  const { clock, dials, run } = bench();
  for (let n = 0; n < 10; n++) run(() => Promise.reject(new Error("timed out")));
  await pass(clock, 0);
  assertEquals(dials.length, 4);
  await pass(clock, 3_000);
  assertEquals(dials.length, 7);
  await pass(clock, 60_000);
  assertEquals(dials.length, 10);
});

Deno.test("DialBudget lets dials that succeed, or are answered, follow each other at once", async () => {
  const { clock, dials, run } = bench();
  for (let n = 0; n < 100; n++) run(() => n % 2 === 0 ? Promise.resolve() : Promise.reject(new Error("refused")));
  for (let n = 0; n < 100; n++) await pass(clock, 0);
  assertEquals(dials.length, 100);
});

Deno.test("DialBudget forgets those that wait", async () => {
  const { clock, budget, dials, run } = bench();
  await run(() => Promise.reject(new Error("timed out")));
  for (let n = 0; n < 10; n++) run(() => Promise.reject(new Error("timed out")));
  await pass(clock, 0);
  budget.forget();
  await pass(clock, 60_000);
  assertEquals(dials.length, 4);
});

Deno.test("DialBudget needs one timer for all dials that wait, and none once none does", async () => {
  const { clock, dials, run } = bench();
  for (let n = 0; n < 4; n++) run(() => new Promise(() => {}));
  let scheduled = 0;
  const schedule = clock.schedule.bind(clock);
  clock.schedule = (delay, callback) => {
    scheduled++;
    return schedule(delay, callback);
  };
  for (let n = 0; n < 10; n++) run(() => Promise.resolve());
  await pass(clock, 999);
  assertEquals([dials.length, scheduled, clock.pending], [4, 1, 1]);
  await pass(clock, 1);
  for (let n = 0; n < 10; n++) await pass(clock, 0);
  assertEquals([dials.length, clock.pending], [14, 0]);
});
