// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { CallError, type PeerServiceManager } from "../../mod.ts";
import { WINDOW_START_BYTES } from "../../messaging/streams/receive_window.ts";
import { present } from "../values.ts";
import { scenario, type World } from "./worlds.ts";

const KIB = 1024;

/** Both sides of one half of a stream. */
interface Halves {
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly readable: ReadableStream<Uint8Array>;
  readonly closed: Promise<void>;
}

/** The byte at a position of a stream. */
function byteAt(position: number): number {
  return position * 31 >>> 3 & 0xff;
}

function bytesOf(from: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => byteAt(from + index));
}

/** Opens a stream from one node to the other one, which reads it. */
async function open(from: PeerServiceManager, to: PeerServiceManager): Promise<Halves> {
  const given = Promise.withResolvers<ReadableStream<Uint8Array>>();
  to.unregisterStream("sink");
  to.registerStream("sink", ({ readable }) => given.resolve(readable));
  const { writable, closed } = await from.openStream(to.name, "sink");
  closed.catch(() => {});
  return { writer: writable.getWriter(), readable: await given.promise, closed };
}

function pause(world: World, ms: number): Promise<void> {
  return new Promise((resolve) => world.clock.schedule(ms, resolve));
}

scenario("A reader with memory of its own reads into views of any kind", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const { writer, readable } = await open(a, b);
  const reader = readable.getReader({ mode: "byob" });
  const first = reader.read(new DataView(new ArrayBuffer(64), 8, 16));
  await writer.write(bytesOf(0, 5));
  const { value: view } = await first;
  assertInstanceOf(view, DataView);
  assertEquals([view.byteOffset, view.byteLength, view.buffer.byteLength], [8, 5, 64]);
  assertEquals(new Uint8Array(view.buffer, 8, 5), bytesOf(0, 5));
  const second = reader.read(new Uint32Array(4));
  await writer.write(bytesOf(5, 3));
  await pause(world, 10);
  await writer.write(bytesOf(8, 3));
  const { value: words } = await second;
  assertInstanceOf(words, Uint32Array);
  assertEquals(new Uint8Array(words.buffer, 0, words.byteLength), bytesOf(5, 4));
  // What makes no whole word is left to the next one.
  assertEquals((await reader.read(new Uint8Array(100))).value, bytesOf(9, 2));
}, ["memory"]);

scenario("A reader waits for as many bytes as it asks for, in however many pieces they come", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const { writer, readable } = await open(a, b);
  const reader = readable.getReader({ mode: "byob" });
  const reading = reader.read(new Uint8Array(100 * KIB), { min: 90 * KIB });
  let at = 0;
  for (const size of [1, 0, 17 * KIB, 70 * KIB, 30 * KIB]) {
    await writer.write(bytesOf(at, size));
    at += size;
    await pause(world, 5);
  }
  const { value } = await reading;
  assert(value !== undefined && value.length >= 90 * KIB && value.length <= 100 * KIB);
  assertEquals(value, bytesOf(0, value.length));
  const rest = await reader.read(new Uint8Array(100 * KIB), { min: at - value.length });
  assertEquals(rest.value, bytesOf(value.length, at - value.length));
  const last = reader.read(new Uint8Array(10), { min: 10 });
  await writer.write(bytesOf(at, 3));
  await writer.close();
  assertEquals(await last, { done: true, value: bytesOf(at, 3) });
}, ["memory"]);

scenario("A stream that ends within a word is an error for its reader, and for nothing else", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  for (const waits of [true, false]) {
    const { writer, readable } = await open(a, b);
    const other = await open(a, b);
    const reader = readable.getReader({ mode: "byob" });
    const read = () => assertRejects(() => reader.read(new Uint32Array(2)), TypeError);
    const reading = waits ? read() : undefined;
    await writer.write(bytesOf(0, 3));
    await writer.close();
    await pause(world, 10);
    await (reading ?? read());
    await other.writer.write(bytesOf(0, 7));
    assertEquals((await other.readable.getReader().read()).value, bytesOf(0, 7));
  }
  assertEquals(a.connected(), ["b"]);
}, ["memory"]);

scenario("Several reads that wait are filled one after the other", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  for (const mode of ["byob", undefined] as const) {
    const { writer, readable } = await open(a, b);
    const size = 100 * KIB;
    const reader = mode === undefined ? readable.getReader() : readable.getReader({ mode });
    const reads = Array.from({ length: 7 }, () => {
      if (reader instanceof ReadableStreamBYOBReader) return reader.read(new Uint8Array(20 * KIB));
      return reader.read();
    });
    await writer.write(bytesOf(0, size));
    await pause(world, 10);
    await writer.close();
    let at = 0;
    let ended = 0;
    for (const { done, value } of await Promise.all(reads)) {
      if (done) ended++;
      else assertEquals(value, bytesOf(at, present(value).length));
      at += value?.length ?? 0;
    }
    assertEquals(at, size);
    assert(ended > 0);
  }
}, ["memory"]);

scenario(
  "A reader that gives up while it waits with memory of its own ends its half, and gets the memory back",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const { writer, readable } = await open(a, b);
    const reader = readable.getReader({ mode: "byob" });
    const reading = reader.read(new Uint8Array(10));
    await reader.cancel("enough");
    assertEquals((await reading).done, true);
    await assertRejects(() => writer.closed, Error, "enough");
    await world.until("nothing is left of what was read", () => b.stats().streams.heldBytes === 0);
  },
  ["memory"],
);

scenario(
  "A stream that breaks while a reader waits with memory of its own rejects the read with the reason",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const { writer, readable } = await open(a, b);
    const reader = readable.getReader({ mode: "byob" });
    const reading = reader.read(new Uint8Array(10), { min: 5 });
    await writer.write(bytesOf(0, 3));
    await pause(world, 10);
    await writer.abort(new Error("the disk is full"));
    await assertRejects(() => reading, Error, "the disk is full");
  },
  ["memory"],
);

scenario("What comes after a reader has let go of the stream waits for the next one", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  for (const first of ["byob", undefined] as const) {
    for (const second of ["byob", undefined] as const) {
      const { writer, readable } = await open(a, b);
      const before = first === undefined ? readable.getReader() : readable.getReader({ mode: first });
      const reading = before instanceof ReadableStreamBYOBReader ? before.read(new Uint8Array(10)) : before.read();
      before.releaseLock();
      await assertRejects(() => reading, TypeError);
      await writer.write(bytesOf(0, 50));
      await pause(world, 10);
      const after = second === undefined ? readable.getReader() : readable.getReader({ mode: second });
      let at = 0;
      while (at < 50) {
        const read = after instanceof ReadableStreamBYOBReader ? after.read(new Uint8Array(20)) : after.read();
        const { value } = await read;
        assertEquals(value, bytesOf(at, present(value).length));
        at += present(value).length;
      }
      await writer.close();
      const end = after instanceof ReadableStreamBYOBReader ? after.read(new Uint8Array(20)) : after.read();
      assertEquals((await end).done, true);
    }
  }
}, ["memory"]);

scenario("Memory that a reader has parted with for good is never written to", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const { writer, readable } = await open(a, b);
  const reader = readable.getReader({ mode: "byob" });
  let memory = new Uint8Array(64 * KIB);
  let at = 0;
  for (let round = 0; round < 20; round++) {
    const reading = reader.read(memory);
    assertEquals(memory.byteLength, 0, "the memory belongs to the stream meanwhile");
    const size = round % 2 === 0 ? 64 * KIB : 5;
    await writer.write(bytesOf(at, size));
    let { value } = await reading;
    for (let taken = 0;;) {
      assertEquals(value, bytesOf(at + taken, present(value).length));
      taken += present(value).length;
      const moved = structuredClone(present(value), { transfer: [present(value).buffer] });
      memory = round % 3 === 0 ? new Uint8Array(64 * KIB) : new Uint8Array(moved.buffer);
      if (taken === size) break;
      ({ value } = await reader.read(memory));
    }
    at += size;
  }
  await assertRejects(
    () => reader.read(structuredClone(memory, { transfer: [memory.buffer] }).subarray(0, 0)),
    TypeError,
  );
  await writer.write(bytesOf(at, 10));
  assertEquals((await reader.read(new Uint8Array(10))).value, bytesOf(at, 10));
}, ["memory"]);

scenario(
  "A chunk that is transferred before it was written ends its half of the stream, and nothing else",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const { writer, readable } = await open(a, b);
    const other = await open(a, b);
    const chunk = bytesOf(0, 2 * WINDOW_START_BYTES);
    const writing = assertRejects(() => writer.write(chunk), TypeError, "transferred meanwhile");
    await world.until("the window is full", () => b.stats().streams.heldBytes === WINDOW_START_BYTES);
    structuredClone(chunk, { transfer: [chunk.buffer] });
    let at = 0;
    await assertRejects(
      async () => {
        for await (const part of readable) {
          assertEquals(part, bytesOf(at, part.length));
          at += part.length;
        }
      },
      CallError,
      "transferred meanwhile",
    );
    assertEquals(at, WINDOW_START_BYTES);
    await writing;
    await other.writer.write(bytesOf(0, 7));
    assertEquals((await other.readable.getReader().read()).value, bytesOf(0, 7));
  },
  ["memory"],
);
