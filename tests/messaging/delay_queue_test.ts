// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { DelayQueue } from "../../messaging/delay_queue.ts";
import { bareRuntime } from "../connections/bare_runtime.ts";

Deno.test("DelayQueue runs what was put back in its order, and what is put back meanwhile after all of that", async () => {
  const { clock, pass } = bareRuntime();
  const queue = new DelayQueue(clock);
  const ran: string[] = [];
  queue.add(() => {
    ran.push("a");
    queue.add(() => void ran.push("again"));
  });
  queue.add(() => void ran.push("b"));
  await pass(1);
  assertEquals(ran, ["a", "b"]);
  await pass(1);
  assertEquals(ran, ["a", "b", "again"]);
});

Deno.test("DelayQueue keeps nothing, and begins no timer, once it was stopped", async () => {
  const { clock, pass } = bareRuntime();
  const queue = new DelayQueue(clock);
  const ran: string[] = [];
  queue.add(() => void ran.push("before"));
  queue.stop();
  assertEquals(queue.add(() => void ran.push("after")), true);
  assertEquals(clock.pending, 0);
  await pass(10);
  assertEquals(ran, []);
});
