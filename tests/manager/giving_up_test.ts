// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { type ForwardOptions, StoppedError } from "../../mod.ts";
import { scenario } from "./worlds.ts";

const KIB = 1024;

scenario("A message whose sender gave up waiting for room is not sent later", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { default: { maxQueuedBytes: 64 * KIB } } });
  const heard = world.inbox(b, "log");
  world.simulated.network.slowReader("b", 4 * KIB);
  const message = (number: number) => ({ number, padding: new Uint8Array(8 * KIB) });
  const forward = (number: number, options: ForwardOptions) => a.forwardMessage("b", "log", message(number), options);
  // The window of the stream takes some; then the queue is above its high-water mark; then it is full.
  let queued = 0;
  while (await forward(queued++, { timeout: 100 }).then(() => true, () => false));
  while (a.stats().messages.dropped === 0) a.castMessage("b", "log", message(queued++));
  queued--;

  const controller = new AbortController();
  const timedOut = assertRejects(() => forward(-1, { timeout: 100 }), DOMException, "no success within 100 ms");
  const aborted = assertRejects(() => forward(-2, { signal: controller.signal, timeout: 600_000 }), Error, "Enough");
  const patient = forward(-3, { timeout: 600_000 });
  await timedOut;
  controller.abort(new Error("Enough"));
  await aborted;
  world.simulated.network.slowReader("b", Infinity);
  await patient;
  await world.until("the last one has arrived", () => heard.messages.length > queued);
  const numbers = heard.messages.map((message) => (message as { number: number }).number);
  assertEquals(numbers, [...Array(queued).keys(), -3]);
}, ["memory"]);

scenario("stop() ends the wait for room", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { default: { maxQueuedBytes: 1024 * KIB } } });
  world.inbox(b, "log");
  world.simulated.network.slowReader("b", 4 * KIB);
  while (a.stats().messages.dropped === 0) a.castMessage("b", "log", new Uint8Array(64 * KIB));
  const waiting = a.forwardMessage("b", "log", "late");
  const rejected = assertRejects(() => waiting, StoppedError);
  await a.stop();
  await rejected;
}, ["memory"]);
