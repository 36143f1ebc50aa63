// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CallError,
  EncodeError,
  type ErrorDetail,
  type MessageContext,
  NoHandlerError,
  NotConnectedError,
  OverloadedError,
  PartitionedError,
  type PeerServiceManager,
} from "../../mod.ts";
import { WINDOW_START_BYTES } from "../../messaging/streams/receive_window.ts";
import { scenario } from "./worlds.ts";
import { firstOf, nthOf, present } from "../values.ts";

const KIB = 1024;

/** Bytes that say where they belong. */
function patternOf(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (from + index) * 31 >>> 3);
}

async function collect(readable: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readable) chunks.push(chunk);
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Waits until no stream is open on any of the nodes. */
function allOver(nodes: readonly PeerServiceManager[]): boolean {
  return nodes.every((node) => node.stats().streams.open === 0);
}

scenario("A stream carries bytes both ways, in order, and each half ends by itself", async (world) => {
  const nodes = await world.cluster(["a", "b"]);
  const [a, b] = nodes;
  const contexts: MessageContext[] = [];
  for (const to of [b, a]) {
    to.registerStream("echo", ({ readable, writable }, message, context) => {
      contexts.push(context);
      assertEquals(message, { greeting: "hello" });
      return readable.pipeTo(writable);
    });
    const { readable, writable, closed } = await a.openStream(to.name, "echo", { greeting: "hello" });
    const sizes = [1, 10, 0, 16 * KIB - 1, 16 * KIB, 64 * KIB, 300 * KIB, 2 * KIB * KIB, 5];
    const writing = (async () => {
      const writer = writable.getWriter();
      let at = 0;
      for (const size of sizes) {
        const chunk = patternOf(at, size);
        await writer.write(chunk);
        chunk.fill(0);
        at += size;
      }
      await writer.close();
    })();
    const received = await collect(readable);
    await writing;
    await closed;
    assertEquals(received.length, sizes.reduce((sum, size) => sum + size));
    const expected = patternOf(0, received.length);
    assert(received.every((byte, index) => byte === expected[index]), "what came is what was sent");
    await world.until("nothing is left", () => allOver(nodes));
  }
  assertEquals(contexts.map(({ from, channel, cast }) => [from, channel, cast]), [["a", "default", false], [
    "a",
    "default",
    false,
  ]]);
});

scenario("A reader that brings memory of its own has it filled, in order, to the end of the stream", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const total = 700 * KIB + 3;
  b.registerStream("pattern", async ({ writable }) => {
    const writer = writable.getWriter();
    for (let at = 0; at < total; at += 100 * KIB) await writer.write(patternOf(at, Math.min(100 * KIB, total - at)));
    await writer.close();
  });
  for (const size of [1000, 64 * KIB, 1024 * KIB]) {
    const { readable, writable, closed } = await a.openStream("b", "pattern");
    await writable.close();
    const reader = readable.getReader({ mode: "byob" });
    let memory = new Uint8Array(size);
    let at = 0;
    for (;;) {
      const { done, value } = await reader.read(memory);
      memory = new Uint8Array(present(value).buffer);
      if (done) break;
      const wanted = patternOf(at, value.length);
      assert(value.every((byte, index) => byte === wanted[index]), `at ${at}`);
      at += value.length;
    }
    assertEquals([at, memory.length], [total, size]);
    await closed;
  }
  assert(allOver([a, b]));
});

scenario("A reader that brings memory of its own learns what the stream was given up with", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.registerStream("broken", async ({ writable }) => {
    const writer = writable.getWriter();
    await writer.write(new Uint8Array(10));
    await writer.abort(new RangeError("no more"));
  });
  const { readable, writable } = await a.openStream("b", "broken");
  await writable.close();
  const reader = readable.getReader({ mode: "byob" });
  const { value } = await reader.read(new Uint8Array(100));
  assertEquals(present(value).length, 10);
  const error = await assertRejects(() => reader.read(new Uint8Array(100)), CallError);
  assertEquals(error.remote.message, "no more");
});

scenario("A reader that stops holds the writer, and memory is bounded at both ends", async (world) => {
  const nodes = await world.cluster(["a", "b"]);
  const [a, b] = nodes;
  const given = Promise.withResolvers<ReadableStream<Uint8Array>>();
  b.registerStream("slow", ({ readable }) => given.resolve(readable));
  const { writable } = await a.openStream("b", "slow");
  const writer = writable.getWriter();
  const readable = await given.promise;
  let written = 0;
  const chunk = new Uint8Array(64 * KIB);
  (async () => {
    for (let i = 0; i < 100; i++) {
      await writer.write(chunk);
      written += chunk.length;
    }
    await writer.close();
  })();
  await world.until("the window is full", () => b.stats().streams.heldBytes === WINDOW_START_BYTES);
  await new Promise<void>((resolve) => world.clock.schedule(200, resolve));
  assertEquals([b.stats().streams.heldBytes, written], [WINDOW_START_BYTES, WINDOW_START_BYTES]);
  assertEquals(present(a.stats().peers.b).queuedBytes, 0);
  assertEquals((await collect(readable)).length, 6_400 * KIB);
});

scenario("A stream that no node takes, or has room for, is refused with the reason", async (world) => {
  const nodes = await world.cluster(["a", "b"], { maxStreams: 3 });
  const [a, b] = nodes;
  for (const to of [b, a]) {
    await assertRejects(() => a.openStream(to.name, "nobody"), NoHandlerError, `"nobody"`);
    const handed: ReadableStream<Uint8Array>[] = [];
    to.registerStream("one", ({ readable }) => handed.push(readable), { concurrency: 1 });
    to.registerStream("many", ({ readable }) => handed.push(readable));
    await a.openStream(to.name, "one");
    await assertRejects(() => a.openStream(to.name, "one"), OverloadedError, `"one" has no room`);
    await a.openStream(to.name, "many");
    const third = await a.openStream(to.name, "many");
    await assertRejects(() => a.openStream(to.name, "many"), OverloadedError, "as many streams open as it may: 3");
    await third.writable.close();
    await third.readable.cancel();
    for await (const _ of nthOf(handed, 2)) assert(false, "nothing was written");
    await world.until("there is room", () => to.stats().streams.open === (to === a ? 6 : 2));
    to.unregisterStream("one");
    await assertRejects(() => a.openStream(to.name, "one"), NoHandlerError);
    await assertRejects(() => a.openStream(to.name, "many", () => {}), EncodeError, "function");
  }
  await assertRejects(() => a.openStream("b", "x", null, { channel: "membership" }), RangeError, "control traffic");
  await assertRejects(() => a.openStream("b", "x", null, { channel: "nowhere" }), RangeError, `"nowhere" is unknown`);
  await assertRejects(() => a.openStream("nobody", "x"), NotConnectedError, "no other node passes streams on");
  await assertRejects(
    () => a.openStream("b", "x", null, { transitive: true } as Record<string, unknown>),
    DOMException,
    "no other node passes streams on",
  );
}, ["memory"]);

scenario("What ends a stream early reaches the other side with its reason, behind the bytes before", async (world) => {
  const nodes = await world.cluster(["a", "b"]);
  const [a, b] = nodes;
  for (const to of [b, a]) {
    const seen: unknown[] = [];
    to.registerStream("upload", async ({ readable, writable }) => {
      try {
        for await (const chunk of readable) seen.push(chunk.length);
      } catch (error) {
        seen.push(error);
        world.look();
      }
      await writable.close();
    });
    const upload = await a.openStream(to.name, "upload");
    const writer = upload.writable.getWriter();
    await writer.write(new Uint8Array(100));
    await writer.abort(new RangeError("Disk is gone"));
    await world.until("it is known there", () => seen.length === 2);
    const [bytes, reason] = seen as [number, CallError];
    assertEquals([bytes, reason.name, reason.message], [100, "CallError", "Disk is gone"]);
    assertEquals(reason.remote?.name, "RangeError");
    await assertRejects(() => upload.closed, RangeError, "Disk is gone");

    to.registerStream("endless", async ({ writable }) => {
      const writer = writable.getWriter();
      for (;;) await writer.write(new Uint8Array(KIB));
    });
    const endless = await a.openStream(to.name, "endless");
    const reader = endless.readable.getReader();
    await reader.read();
    await reader.cancel(new Error("Enough"));
    await endless.writable.close();
    await assertRejects(() => endless.closed, Error, "Enough");

    to.registerStream("broken", async ({ writable }) => {
      await writable.getWriter().write(new Uint8Array(10));
      throw new TypeError("Out of order");
    });
    const broken = await a.openStream(to.name, "broken");
    const parts = broken.readable.getReader();
    assertEquals((await parts.read()).value?.length, 10);
    await assertRejects(() => parts.read(), CallError, "Out of order");
    await assertRejects(() => broken.writable.getWriter().closed, CallError, "Out of order");
    assertEquals(world.errors.splice(0).map(({ during }: ErrorDetail) => during), [`handling a stream to "broken"`]);
    await world.until("nothing is left", () => allOver(nodes));
  }
});

scenario("A signal ends a stream at any time, and a timeout the wait for it", async (world) => {
  const nodes = await world.cluster(["a", "b"]);
  const [a, b] = nodes;
  const contexts: MessageContext[] = [];
  b.registerStream("patient", ({ readable }, _, context) => {
    contexts.push(context);
    return readable.pipeTo(new WritableStream());
  });
  const controller = new AbortController();
  const { writable, closed } = await a.openStream("b", "patient", null, { signal: controller.signal });
  await writable.getWriter().write(new Uint8Array(10));
  assert(!firstOf(contexts).signal.aborted);
  controller.abort(new Error("Enough"));
  await assertRejects(() => closed, Error, "Enough");
  await world.until("its handler knows", () => firstOf(contexts).signal.aborted);
  assertEquals(firstOf(contexts).signal.reason.message, "Enough");
  await assertRejects(() => a.openStream("b", "patient", 1, { signal: controller.signal }), Error, "Enough");
  await world.until("nothing is left", () => allOver(nodes));
});

scenario("A stream ends with NotConnectedError at both ends when its connection is lost", async (world) => {
  const nodes = await world.cluster(["a", "b"]);
  const [a, b] = nodes;
  const ends: unknown[] = [];
  const contexts: MessageContext[] = [];
  b.registerStream("sink", async ({ readable, writable }, _, context) => {
    contexts.push(context);
    await readable.pipeTo(new WritableStream()).catch((error) => ends.push(error));
    await writable.getWriter().closed.catch((error) => ends.push(error));
    world.look();
  });
  const { writable, readable, closed } = await a.openStream("b", "sink");
  const writer = writable.getWriter();
  await writer.write(new Uint8Array(10));
  world.breakConnections("a");
  await assertRejects(() => writer.closed, NotConnectedError);
  await assertRejects(() => readable.getReader().read(), NotConnectedError);
  await assertRejects(() => closed, NotConnectedError);
  await world.until("it is known there", () => ends.length === 2);
  assert(ends.every((error) => error instanceof NotConnectedError));
  assert(firstOf(contexts).signal.aborted);
  await world.until("nothing is left", () => allOver(nodes));
});

scenario("A stream outlives a connection that is replaced, byte by byte", async (world) => {
  const nodes = await world.cluster(["a", "b"], { secret: "first of all secrets" });
  const [a, b] = nodes;
  b.registerStream("echo", ({ readable, writable }) => readable.pipeTo(writable));
  const { readable, writable, closed } = await a.openStream("b", "echo");
  const size = 4 * KIB * KIB;
  const received = collect(readable);
  const writer = writable.getWriter();
  const renewed: Promise<void>[] = [];
  for (let at = 0; at < size; at += 64 * KIB) {
    await writer.write(patternOf(at, 64 * KIB));
    if (at === size / 4) {
      renewed.push(...nodes.map((node) => node.updateSecrets(["second of all secrets", "first of all secrets"])));
    }
    if (at === size / 2) {
      renewed.push(...nodes.map((node) => node.updateSecrets(["third of all secrets", "second of all secrets"])));
    }
  }
  await writer.close();
  const bytes = await received;
  await closed;
  await Promise.all(renewed);
  const expected = patternOf(0, size);
  assertEquals(bytes.length, size);
  assert(bytes.every((byte, index) => byte === expected[index]), "what came is what was sent");
});

scenario("A partition ends streams at once here, and there when it is over or noticed", async (world) => {
  const nodes = await world.cluster(["a", "b"]);
  const [a, b] = nodes;
  const errors: unknown[] = [];
  b.registerStream(
    "sink",
    ({ readable }) => readable.pipeTo(new WritableStream()).catch((error) => errors.push(error)),
  );
  for (const heals of [true, false]) {
    const { writable, closed } = await a.openStream("b", "sink");
    await writable.getWriter().write(new Uint8Array(10));
    const reference = await a.injectPartition("a", 0);
    await assertRejects(() => closed, PartitionedError);
    await assertRejects(() => a.openStream("b", "sink"), PartitionedError);
    if (heals) a.resolvePartition(reference);
    await world.until("it is known there", () => errors.length === 1);
    assert(errors.pop() instanceof (heals ? PartitionedError : NotConnectedError));
    if (!heals) a.resolvePartition(reference);
    await world.until("nothing is left", () => allOver(nodes));
  }
}, ["memory"]);

scenario(
  "A stream that is opened to a node behind a partition that only that one knows of is told when it is over",
  async (world) => {
    const nodes = await world.cluster(["a", "b"]);
    const [a, b] = nodes;
    b.registerStream("sink", ({ readable }) => readable.pipeTo(new WritableStream()));
    const reference = await b.injectPartition("b", 0);
    assertEquals(a.partitions(), []);
    const opening = a.openStream("b", "sink");
    await new Promise<void>((resolve) => world.clock.schedule(100, resolve));
    assertEquals([a, b].map((node) => node.stats().streams.open), [1, 0]);
    b.resolvePartition(reference);
    await assertRejects(() => opening, NotConnectedError, "the other side has lost the connection");
    await world.until("nothing is left", () => allOver(nodes));
  },
  ["memory"],
);

scenario("stop() ends streams at both ends, and drain() waits for them", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  const [a, b, c] = nodes;
  const errors: unknown[] = [];
  for (const node of [a, c]) {
    node.registerStream(
      "sink",
      ({ readable }) => readable.pipeTo(new WritableStream()).catch((error) => errors.push(error)),
    );
  }
  b.registerStream("echo", ({ readable, writable }) => readable.pipeTo(writable));
  const toStop = await c.openStream("a", "sink");
  await toStop.writable.getWriter().write(new Uint8Array(1));
  await c.stop();
  await world.until("it is known there", () => errors.length === 1);
  assert(errors[0] instanceof NotConnectedError);
  await assertRejects(() => toStop.closed, Error, "was stopped");

  const { readable, writable, closed } = await a.openStream("b", "echo");
  const writer = writable.getWriter();
  await writer.write(new Uint8Array(1));
  let isDrained = false;
  const drained = b.drain().then(() => isDrained = true);
  await new Promise<void>((resolve) => world.clock.schedule(1_000, resolve));
  assertEquals(isDrained, false);
  await writer.write(new Uint8Array(1));
  await writer.close();
  assertEquals((await collect(readable)).length, 2);
  await closed;
  await drained;
});
