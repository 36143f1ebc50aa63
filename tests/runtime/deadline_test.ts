// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { withDeadline } from "../../runtime/deadline.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { pass } from "../connections/bare_runtime.ts";

const never = () => new Promise<never>(() => {});

Deno.test("withDeadline() settles like its work, and leaves no timer and no listener", async () => {
  const clock = new VirtualClock();
  const { signal } = new AbortController();
  const listening = new Set<unknown>();
  signal.addEventListener = (_: string, listener: unknown) => void listening.add(listener);
  signal.removeEventListener = (_: string, listener: unknown) => void listening.delete(listener);
  const given = { signal, timeout: 100 };
  assertEquals(await withDeadline(clock, given, "Cannot wait", () => Promise.resolve(5)), 5);
  const failing = () => Promise.reject(new TypeError("No"));
  await assertRejects(() => withDeadline(clock, given, "Cannot wait", failing), TypeError, "No");
  assertEquals([clock.pending, listening.size], [0, 0]);
});

Deno.test("withDeadline() rejects when the time is up, and tells its work why", async () => {
  const clock = new VirtualClock();
  let told: unknown;
  const waiting = withDeadline(clock, { timeout: 100 }, 'Cannot join "a"', (signal) => {
    signal.addEventListener("abort", () => told = signal.reason);
    return never();
  });
  waiting.catch(() => {});
  await pass(clock, 99);
  assertEquals(told, undefined);
  await pass(clock, 1);
  const error = await assertRejects(() => waiting, DOMException, 'Cannot join "a": no success within 100 ms');
  assertEquals(error.name, "TimeoutError");
  assertEquals(told, error);
});

Deno.test("withDeadline() rejects with the reason of the caller's signal, before and during the work", async () => {
  const clock = new VirtualClock();
  const reason = new Error("Enough");
  let begun = 0;
  const begin = () => {
    begun++;
    return never();
  };
  const given = { signal: AbortSignal.abort(reason), timeout: 100 };
  await assertRejects(() => withDeadline(clock, given, "Cannot wait", begin), Error, "Enough");
  assertEquals(begun, 0);
  const controller = new AbortController();
  const waiting = withDeadline(clock, { signal: controller.signal, timeout: 100 }, "Cannot wait", begin);
  controller.abort(reason);
  assertInstanceOf(await assertRejects(() => waiting, Error, "Enough"), Error);
  assertEquals([begun, clock.pending], [1, 0]);
});

Deno.test("withDeadline() without a timeout waits as long as it takes", async () => {
  const clock = new VirtualClock();
  const { promise, resolve } = Promise.withResolvers<string>();
  const waiting = withDeadline(clock, {}, "Cannot wait", () => promise);
  await pass(clock, 1e9);
  resolve("done");
  assertEquals(await waiting, "done");
});

Deno.test("withDeadline() hands work that fails after the deadline to no node", async () => {
  const clock = new VirtualClock();
  const { promise, reject } = Promise.withResolvers<never>();
  const waiting = withDeadline(clock, { timeout: 10 }, "Cannot wait", () => promise);
  waiting.catch(() => {});
  await pass(clock, 10);
  await assertRejects(() => waiting, DOMException);
  reject(new Error("Too late to matter"));
  await pass(clock, 0);
});

Deno.test("withDeadline() refuses what is no number of milliseconds, and begins nothing", async () => {
  const clock = new VirtualClock();
  for (const timeout of [-1, NaN, "5" as unknown as number]) {
    const waiting = withDeadline(clock, { timeout }, "Cannot wait", never);
    const error = await assertRejects(() => waiting, RangeError);
    assertEquals(error.message, `Cannot wait: "timeout" is ${timeout}; expected milliseconds, 0 or more`);
  }
  assertEquals(clock.pending, 0);
});

Deno.test("withDeadline() counts the time from the last progress, and none after the end", async () => {
  const clock = new VirtualClock();
  let progress = () => {};
  const waiting = withDeadline(clock, { timeout: 100 }, "Cannot wait", (_, tell) => {
    progress = tell;
    return never();
  });
  waiting.catch(() => {});
  await pass(clock, 99);
  progress();
  await pass(clock, 99);
  assertEquals(clock.pending, 1);
  await pass(clock, 1);
  await assertRejects(() => waiting, DOMException, "no success within 100 ms");
  progress();
  assertEquals(clock.pending, 0);
});
