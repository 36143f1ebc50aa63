// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { CallError, NotConnectedError, StoppedError } from "../../mod.ts";
import { scenario } from "./worlds.ts";
import { entryOf } from "../values.ts";

scenario("call() resolves with what the handler returns or resolves to, here and there", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  for (const node of [a, b]) {
    node.register("double", (n: number) => n * 2);
    node.register("later", async (n: number) => await Promise.resolve(n + 1));
    node.register("who", (_, { from, channel, cast }) => [from, channel, cast]);
    node.register("nothing", () => {});
  }
  for (const to of ["a", "b"]) {
    assertEquals(await a.call(to, "double", 21), 42);
    assertEquals(await a.call(to, "later", 1), 2);
    assertEquals(await a.call(to, "who", null), ["a", "default", false]);
  }
  assertEquals(await a.call("b", "nothing", null), null);
  assertEquals(await a.call("a", "nothing", null), null);
  assertEquals(await a.call(b.spec, "double", 1), 2);
});

scenario("Many calls at once each get their own reply", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("echo", (n) => n);
  a.register("echo", (n) => -n);
  const replies = await Promise.all(
    Array.from({ length: 500 }, (_, n) => n % 2 === 0 ? a.call("b", "echo", n) : b.call("a", "echo", n)),
  );
  assertEquals(replies, Array.from({ length: 500 }, (_, n) => n % 2 === 0 ? n : -n));
});

scenario("A handler that throws rejects the call with its message, never its stack", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("throws", () => {
    throw new RangeError("out of range");
  });
  b.register("rejects", () => Promise.reject("just text"));
  const thrown = await assertRejects(() => a.call("b", "throws", 1), CallError);
  assertEquals(thrown.message, "out of range");
  assertFalse(thrown.stack?.includes("call_test.ts:31"));
  const rejected = await assertRejects(() => a.call("b", "rejects", 1), CallError);
  assertEquals(rejected.message, "just text");
  assertEquals(world.errors.splice(0).length, 2);
});

scenario("A call to an unknown name, or whose reply cannot be encoded, rejects with CallError", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("function", () => () => {});
  await assertRejects(() => a.call("b", "nobody", 1), CallError, `No handler is registered as "nobody"`);
  await assertRejects(() => a.call("a", "nobody", 1), CallError, `No handler is registered as "nobody"`);
  await assertRejects(() => a.call("b", "function", 1), CallError, "Cannot encode");
});

scenario("call() rejects when the node is a stranger, goes down or leaves, or this one stops", async (world) => {
  const [a, b, c, d] = await world.cluster(["a", "b", "c", "d"]);
  for (const node of [b, c, d]) node.register("never", () => new Promise(() => {}));
  await assertRejects(() => a.call("nobody", "x", 1), NotConnectedError);
  const down = assertRejects(() => a.call("b", "never", 1), NotConnectedError, `"b" is gone`);
  const left = assertRejects(() => a.call("c", "never", 1), NotConnectedError);
  const stopped = assertRejects(() => a.call("d", "never", 1), StoppedError);
  await world.until("the requests are there", () => [b, c, d].every((node) => node.stats().messages.delivered > 0));
  await b.stop();
  await down;
  await c.leave();
  await left;
  await a.stop();
  await stopped;
});

scenario("call() gives up at its timeout or signal; a late reply is ignored", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const replied = Promise.withResolvers<string>();
  b.register("slow", () => replied.promise);
  const error = await assertRejects(() => a.call("b", "slow", 1, { timeout: 30 }), DOMException);
  assertEquals(error.name, "TimeoutError");
  const controller = new AbortController();
  const aborted = a.call("b", "slow", 1, { signal: controller.signal });
  controller.abort(new RangeError("enough"));
  await assertRejects(() => aborted, RangeError, "enough");
  const third = a.call("b", "slow", 1);
  replied.resolve("late");
  assertEquals(await third, "late");
});

scenario("Calls survive broken connections while the handler works, when they are back in time", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { default: { parallelism: 4 } } });
  const asked = Promise.withResolvers<void>();
  const replied = Promise.withResolvers<string>();
  b.register("slow", () => {
    asked.resolve();
    return replied.promise;
  });
  const reply = a.call("b", "slow", 1);
  await asked.promise;
  let kept = true;
  // All but one connection: the node does not go down.
  entryOf(world.transports, "a").breakStreams(() => kept = !kept);
  replied.resolve("well");
  assertEquals(await reply, "well");
  assert(a.isConnected("b"));
});
