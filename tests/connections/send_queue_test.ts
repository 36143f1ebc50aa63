// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLessOrEqual, assertStrictEquals, assertThrows } from "@std/assert";
import { type Frame, FrameReader } from "../../wire/frame_reader.ts";
import type { ByteWriter } from "../../wire/byte_writer.ts";
import { Histogram } from "../../runtime/histogram.ts";
import { SendQueue, type SendQueueOptions } from "../../connections/send_queue.ts";
import { WriterPool } from "../../connections/writer_pool.ts";
import { seededRandom } from "../seeded_random.ts";
import { concat, FakeStream, frame, isSettled, pattern, settled } from "./fake_stream.ts";
import { lastOf, nthOf, present } from "../values.ts";

/** A queue whose deferred calls and writes happen when the test says so. */
class Bench {
  readonly queue: SendQueue;
  /** Bytes that were handed to the stream, as they were then. */
  readonly writes: Uint8Array[] = [];
  readonly failures: unknown[] = [];
  readonly deferred: (() => void)[] = [];
  readonly #waiting: { bytes: Uint8Array; written: PromiseWithResolvers<void> }[] = [];

  constructor(options: Partial<SendQueueOptions> = {}) {
    this.queue = new SendQueue({
      write: (bytes) => {
        const written = Promise.withResolvers<void>();
        this.writes.push(bytes.slice());
        this.#waiting.push({ bytes, written });
        return written.promise;
      },
      defer: (callback) => this.deferred.push(callback),
      failed: (error) => this.failures.push(error),
      highWaterMark: 100,
      maxQueuedBytes: 1000,
      ...options,
    });
  }

  /** Queues a frame with `size` bytes of body. */
  send(kind: number, size: number, tail?: Uint8Array): void {
    this.queue.begin(kind).raw(pattern(size, kind));
    this.queue.commit(tail);
  }

  /** The turn of the event loop ends. */
  endTurn(): Promise<void> {
    for (const callback of this.deferred.splice(0)) callback();
    return settled();
  }

  /** The bytes of the write that is in flight. */
  get inFlight(): Uint8Array | undefined {
    return this.#waiting[0]?.bytes;
  }

  /** The write in flight is done; until now its bytes must not have changed. */
  finishWrite(error?: Error): Promise<void> {
    assertEquals(this.#waiting.length, 1);
    const { bytes, written } = present(this.#waiting.pop());
    assert(equal(bytes, lastOf(this.writes)));
    if (error === undefined) written.resolve();
    else written.reject(error);
    return settled();
  }

  /** Ends turns and writes until nothing is left to do. */
  async drain(): Promise<void> {
    while (this.deferred.length > 0 || this.inFlight !== undefined) {
      await this.endTurn();
      if (this.inFlight !== undefined) await this.finishWrite();
    }
  }
}

/** A queue that has written a small frame, and gathers: another one came in during the write. */
async function gathering(options?: Partial<SendQueueOptions>): Promise<{ bench: Bench; turns: (() => void)[] }> {
  const turns: (() => void)[] = [];
  const bench = new Bench({ nextTurn: (callback) => turns.push(callback), ...options });
  bench.send(1, 10);
  await bench.endTurn();
  bench.send(2, 10);
  await bench.finishWrite();
  return { bench, turns };
}

/** Frames as a receiver finds them in what was written. */
async function received(writes: readonly Uint8Array[]): Promise<Frame[]> {
  const stream = new FakeStream();
  stream.give(...writes);
  stream.end();
  const frames: Frame[] = [];
  await new FrameReader(stream, 2 ** 20).run((kind, buffer, start, end) => {
    frames.push({ kind, body: buffer.slice(start, end) });
  });
  return frames;
}

Deno.test("SendQueue writes what is sent in one turn in one write, in order", async () => {
  const bench = new Bench();
  for (let kind = 1; kind <= 5; kind++) bench.send(kind, kind * 10);
  assertEquals(bench.writes, []);
  assertEquals(bench.deferred.length, 1);
  await bench.endTurn();
  assertEquals(bench.writes, [concat(...[1, 2, 3, 4, 5].map((kind) => frame(kind, pattern(kind * 10, kind))))]);
});

Deno.test("SendQueue.written() resolves when what was queued before is written, whatever was queued after it", async () => {
  const bench = new Bench();
  await bench.queue.written();
  bench.send(1, 10, pattern(10));
  const [first, again] = [bench.queue.written(), bench.queue.written()];
  await bench.endTurn();
  bench.send(2, 10);
  const second = bench.queue.written();
  await bench.finishWrite();
  assertEquals([await isSettled(first), await isSettled(second)], [false, false]);
  await bench.finishWrite();
  await Promise.all([first, again]);
  assertEquals(await isSettled(second), false);
  bench.queue.close();
  await second;
});

Deno.test("SendQueue fills the next batch while a write is in flight, without deferring again", async () => {
  const bench = new Bench();
  bench.send(1, 10);
  await bench.endTurn();
  bench.send(2, 10);
  await settled();
  bench.send(3, 10);
  assertEquals(bench.deferred.length, 0);
  assertEquals(bench.writes.length, 1);
  await bench.finishWrite();
  assertEquals(bench.writes.length, 2);
  assertEquals(bench.writes[0], frame(1, pattern(10, 1)));
  assertEquals(bench.writes[1], concat(frame(2, pattern(10, 2)), frame(3, pattern(10, 3))));
  await bench.finishWrite();
  bench.send(4, 10);
  assertEquals(bench.deferred.length, 1);
  await bench.drain();
  assertEquals(bench.writes.length, 3);
});

Deno.test("SendQueue gathers what comes in during a small write until the turn of the event loop ends", async () => {
  const { bench, turns } = await gathering();
  bench.send(3, 10);
  await settled();
  assertEquals([bench.writes.length, turns.length], [1, 1]);
  present(turns.pop())();
  await settled();
  assertEquals(bench.writes[1], concat(frame(2, pattern(10, 2)), frame(3, pattern(10, 3))));
  await bench.finishWrite();
  // Nothing has come in: the next message does not wait.
  assertEquals(turns, []);
  bench.send(4, 10);
  await bench.endTurn();
  assertEquals(bench.writes[2], frame(4, pattern(10, 4)));
});

Deno.test("SendQueue gathers no more than a batch, and writes it though the turn goes on", async () => {
  const { bench, turns } = await gathering({ maxQueuedBytes: 2 ** 20 });
  bench.send(3, 70_000);
  await settled();
  assertEquals(bench.writes[1], concat(frame(2, pattern(10, 2)), frame(3, pattern(70_000, 3))));
  // The turn that ends later ends no other wait.
  await bench.finishWrite();
  bench.send(4, 10);
  await bench.endTurn();
  bench.send(5, 10);
  await bench.finishWrite();
  present(turns.shift())();
  await settled();
  assertEquals(bench.writes.length, 3);
  present(turns.shift())();
  await settled();
  assertEquals(bench.writes[3], frame(5, pattern(10, 5)));
});

Deno.test("SendQueue that is closed while messages gather writes none of them", async () => {
  const { bench, turns } = await gathering();
  const written = bench.queue.written();
  assertEquals(bench.queue.close(), 15);
  await written;
  present(turns.pop())();
  await settled();
  assertEquals([bench.writes.length, bench.failures], [1, []]);
});

Deno.test("SendQueue writes a tail from where it is, between the frames before and after it", async () => {
  const bench = new Bench({ maxQueuedBytes: 2 ** 20 });
  const tail = pattern(20_000, 7);
  bench.send(1, 10);
  bench.send(2, 3, tail);
  bench.send(3, 10);
  await bench.endTurn();
  await bench.finishWrite();
  assertStrictEquals(bench.inFlight, tail);
  await bench.drain();
  assertEquals(bench.writes.length, 3);
  assertEquals(await received(bench.writes), [
    { kind: 1, body: pattern(10, 1) },
    { kind: 2, body: concat(pattern(3, 2), tail) },
    { kind: 3, body: pattern(10, 3) },
  ]);
});

Deno.test("SendQueue writes a copied tail as it was, together with the frames before it, and uses the room again", async () => {
  const bench = new Bench({ maxQueuedBytes: 2 ** 20 });
  const tail = pattern(200_000, 7);
  bench.send(1, 10);
  for (const round of [2, 3]) {
    bench.queue.begin(round).raw(pattern(3, round));
    bench.queue.commit(tail, true);
    tail.fill(round);
    await bench.drain();
  }
  assertEquals(bench.writes.length, 2);
  assertEquals(await received(bench.writes), [
    { kind: 1, body: pattern(10, 1) },
    { kind: 2, body: concat(pattern(3, 2), pattern(200_000, 7)) },
    { kind: 3, body: concat(pattern(3, 3), new Uint8Array(200_000).fill(2)) },
  ]);
});

Deno.test("SendQueue delivers exactly what was committed, under any mixture of frames, tails, rollbacks and pauses", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const bench = new Bench({ maxQueuedBytes: 2 ** 30 });
    const sent: Frame[] = [];
    for (let step = 0; step < 60; step++) {
      const kind = step & 0xff;
      const writer = bench.queue.begin(kind);
      const body = pattern(random.int(random.pick([10, 3000, 40_000])), step);
      writer.raw(body);
      assertEquals(bench.queue.frameBytes, body.length + 5);
      if (random.chance(0.3)) {
        bench.queue.rollback();
      } else {
        const tail = random.chance(0.2) ? pattern(1 + random.int(20_000), step + 1) : undefined;
        bench.queue.commit(tail, random.chance(0.3));
        sent.push({ kind, body: concat(body, tail ?? new Uint8Array()) });
      }
      if (random.chance(0.3)) await bench.endTurn();
      if (random.chance(0.3) && bench.inFlight !== undefined) await bench.finishWrite();
    }
    await bench.drain();
    const frames = await received(bench.writes);
    assertEquals(frames.length, sent.length, `seed ${seed}`);
    assert(frames.every(({ body }, index) => equal(body, nthOf(sent, index).body)), `seed ${seed}`);
    assertEquals(frames.map(({ kind }) => kind), sent.map(({ kind }) => kind), `seed ${seed}`);
    assertEquals(bench.queue.queuedBytes, 0, `seed ${seed}`);
    assertEquals(bench.queue.bytesWritten, total(bench.writes), `seed ${seed}`);
  }
});

function total(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

Deno.test("SendQueue counts what waits and what is in flight against its bound", async () => {
  const bench = new Bench();
  bench.send(1, 395);
  await bench.endTurn();
  bench.send(2, 395);
  assertEquals(bench.queue.queuedBytes, 800);
  assert(bench.queue.hasRoomFor(200));
  assert(!bench.queue.hasRoomFor(201));
  await bench.finishWrite();
  assertEquals(bench.queue.queuedBytes, 400);
  assert(bench.queue.hasRoomFor(600));
  assert(!bench.queue.hasRoomFor(601));
  await bench.drain();
});

Deno.test("SendQueue takes a frame beyond its bound when nothing else waits, and only then", async () => {
  const bench = new Bench();
  assert(bench.queue.hasRoomFor(5000));
  bench.send(1, 0);
  assert(!bench.queue.hasRoomFor(5000));
  await bench.endTurn();
  assert(!bench.queue.hasRoomFor(5000));
  await bench.finishWrite();
  assert(bench.queue.hasRoomFor(5000));
});

Deno.test("SendQueue.drained() resolves at the high-water mark, flushed() when all is written", async () => {
  const bench = new Bench();
  bench.send(1, 95);
  assertEquals(bench.queue.aboveHighWaterMark, false);
  assert(await isSettled(bench.queue.drained()));
  await bench.endTurn();
  bench.send(2, 95);
  assertEquals(bench.queue.aboveHighWaterMark, true);
  const drained = bench.queue.drained(), flushed = bench.queue.flushed();
  assert(!await isSettled(drained));
  await bench.finishWrite();
  assert(await isSettled(drained));
  assert(!await isSettled(flushed));
  await bench.finishWrite();
  assert(await isSettled(flushed));
  assert(await isSettled(bench.queue.flushed()));
});

Deno.test("SendQueue.drained() resolves within a batch of several writes, as soon as enough of it is written", async () => {
  const bench = new Bench({ maxQueuedBytes: 2 ** 20, highWaterMark: 25_000 });
  bench.send(1, 0, pattern(20_000));
  bench.send(2, 0, pattern(20_000));
  await bench.endTurn();
  const drained = bench.queue.drained();
  await bench.finishWrite();
  assert(!await isSettled(drained));
  await bench.finishWrite();
  assert(await isSettled(drained));
  assertEquals(bench.queue.queuedBytes, 20_005);
  await bench.drain();
});

Deno.test("SendQueue wakes each who waits as soon as no more waits than it bears with, and lets all others wait", async () => {
  const bench = new Bench();
  bench.send(1, 195);
  await bench.endTurn();
  for (const size of [195, 95, 45]) bench.send(1, size, pattern(5));
  const woken: number[] = [];
  for (const bytes of [0, 50, 300, 100, 400]) bench.queue.drained(bytes).then(() => woken.push(bytes));
  const seen: [queued: number, woken: number[]][] = [];
  while (bench.inFlight !== undefined) {
    await bench.finishWrite();
    seen.push([bench.queue.queuedBytes, woken.splice(0)]);
  }
  assertEquals(seen.filter(([, now]) => now.length > 0), [
    [365, [400]],
    [165, [300]],
    [60, [100]],
    [5, [50]],
    [0, [0]],
  ]);
});

Deno.test("SendQueue wakes those who wait in the order in which they came", async () => {
  const bench = new Bench();
  bench.send(1, 200);
  const order: number[] = [];
  for (let index = 0; index < 5; index++) bench.queue.drained().then(() => order.push(index));
  await bench.drain();
  assertEquals(order, [0, 1, 2, 3, 4]);
});

Deno.test("SendQueue.rollback() takes back a half-written frame and nothing else, also behind a tail", async () => {
  const bench = new Bench({ maxQueuedBytes: 2 ** 20 });
  const tail = pattern(16_384);
  bench.queue.begin(9).raw(pattern(5));
  bench.queue.rollback();
  bench.send(1, 10, tail);
  bench.queue.begin(9).raw(pattern(50_000));
  bench.queue.rollback();
  bench.send(2, 10);
  await bench.drain();
  assertEquals((await received(bench.writes)).map(({ kind }) => kind), [1, 2]);
});

Deno.test("SendQueue.rollback() alone causes no write", async () => {
  const bench = new Bench();
  bench.queue.begin(1).raw(pattern(10));
  bench.queue.rollback();
  assertEquals(bench.deferred.length, 0);
  assertEquals(bench.queue.queuedBytes, 0);
  await bench.drain();
  assertEquals(bench.writes, []);
});

Deno.test("SendQueue.rollback() gives back the room that a huge frame asked for", () => {
  const bench = new Bench();
  bench.queue.begin(1).raw(new Uint8Array(2 ** 22));
  bench.queue.rollback();
  assertLessOrEqual(bench.queue.begin(2).bytes.length, 2048);
});

Deno.test("SendQueue holds no buffer while idle: all go back to the pool", async () => {
  const writers = new CountingPool();
  const bench = new Bench({ maxQueuedBytes: 2 ** 24, writers });
  for (const size of [100, 100_000, 3_000_000]) {
    bench.send(1, size);
    bench.send(2, size, pattern(20_000));
    bench.send(3, size);
    assertEquals(writers.lent > 0, true);
    await bench.drain();
    assertEquals(writers.lent, 0);
    bench.send(4, size, pattern(20_000));
    await bench.drain();
    bench.queue.begin(5).raw(pattern(size));
    bench.queue.rollback();
    assertEquals(writers.lent, 0);
  }
});

class CountingPool extends WriterPool {
  lent = 0;

  override take(): ByteWriter {
    this.lent++;
    return super.take();
  }

  override give(writer: ByteWriter): void {
    this.lent--;
    super.give(writer);
  }
}

Deno.test("SendQueue cuts what waits into batches of some 64 KiB, between frames", async () => {
  const bench = new Bench({ maxQueuedBytes: 2 ** 24 });
  for (let count = 0; count < 300; count++) bench.send(1, 995);
  await bench.drain();
  assertEquals(bench.writes.map(({ length }) => length), [66_000, 66_000, 66_000, 66_000, 36_000]);
});

Deno.test("SendQueue asks after each large write whether to give way, and writes nothing until it may go on", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const giveWay = () => {
    gates.push(Promise.withResolvers());
    return lastOf(gates).promise;
  };
  const bench = new Bench({ maxQueuedBytes: 2 ** 24, giveWay });
  for (let count = 0; count < 3; count++) bench.send(1, 70_000);
  for (let written = 1; written <= 3; written++) {
    await bench.endTurn();
    assertEquals(bench.writes.length, written);
    assertEquals(gates.length, written - 1);
    await bench.finishWrite();
    assertEquals(bench.inFlight, undefined);
    lastOf(gates).resolve();
  }
  bench.send(2, 10);
  await bench.drain();
  assertEquals(bench.writes.length, 4);
  assertEquals(gates.length, 3);
});

Deno.test("SendQueue fills the same two buffers in turn under load", async () => {
  const bench = new Bench({ maxQueuedBytes: 2 ** 24 });
  bench.send(1, 100_000);
  await bench.endTurn();
  const buffers = new Set<unknown>();
  for (let round = 0; round < 10; round++) {
    buffers.add(present(bench.inFlight).buffer);
    bench.send(1, 100_000);
    await bench.finishWrite();
  }
  assertEquals(buffers.size, 2);
  await bench.drain();
});

Deno.test("SendQueue refuses to begin a frame within another one, which goes on unharmed", async () => {
  const bench = new Bench();
  const writer = bench.queue.begin(1);
  writer.raw(pattern(3, 1));
  assertThrows(() => bench.queue.begin(2), TypeError, "Cannot begin a frame: another one is being encoded");
  writer.raw(pattern(3, 2));
  bench.queue.commit();
  await bench.drain();
  assertEquals(await received(bench.writes), [{ kind: 1, body: concat(pattern(3, 1), pattern(3, 2)) }]);
});

Deno.test("SendQueue.close() drops what waits, and says how much", async () => {
  const bench = new Bench();
  bench.send(1, 200);
  await bench.endTurn();
  bench.send(2, 295);
  const drained = bench.queue.drained();
  assertEquals(bench.queue.close(), 300);
  assert(await isSettled(drained));
  assertEquals(bench.queue.queuedBytes, 0);
});

Deno.test("SendQueue writes nothing more after close(), not even the rest of the batch in flight", async () => {
  const bench = new Bench({ maxQueuedBytes: 2 ** 20 });
  bench.send(1, 10, pattern(20_000));
  bench.send(2, 10);
  await bench.endTurn();
  bench.queue.close();
  await bench.finishWrite();
  assertEquals(bench.writes.length, 1);
  assertEquals(bench.queue.queuedBytes, 0);
  assertEquals(bench.failures, []);
});

Deno.test("SendQueue takes nothing after close(), not even a frame that was begun before", async () => {
  const bench = new Bench();
  bench.queue.begin(1).raw(pattern(10));
  bench.queue.close();
  bench.queue.commit();
  bench.send(2, 10);
  await bench.drain();
  assertEquals(bench.writes, []);
  assertEquals(bench.queue.queuedBytes, 0);
  assert(await isSettled(bench.queue.flushed()));
});

Deno.test("SendQueue.rollback() may come after close()", () => {
  const { queue } = new Bench();
  queue.begin(1).raw(pattern(10));
  queue.close();
  assertEquals(queue.frameBytes, 15);
  queue.rollback();
  assertEquals(queue.queuedBytes, 0);
});

Deno.test("SendQueue tells of a failed write once, wakes those who wait, and writes nothing after it", async () => {
  const bench = new Bench();
  bench.send(1, 300);
  await bench.endTurn();
  bench.send(2, 300);
  const flushed = bench.queue.flushed();
  const error = new Error("Broken pipe");
  await bench.finishWrite(error);
  assertEquals(bench.failures, [error]);
  assert(await isSettled(flushed));
  bench.send(3, 10);
  await bench.drain();
  assertEquals(bench.writes.length, 1);
  assertEquals(bench.failures.length, 1);
});

Deno.test("SendQueue does not tell of a write that failed because it was closed", async () => {
  const bench = new Bench();
  bench.send(1, 10);
  await bench.endTurn();
  bench.queue.close();
  await bench.finishWrite(new Error("Cannot write: the stream is closed"));
  assertEquals(bench.failures, []);
});

Deno.test("SendQueue packs whole batches, those with a tail too", async () => {
  const batches: Uint8Array[] = [];
  const pack = (batch: Uint8Array) => {
    batches.push(batch.slice());
    return Promise.resolve(pattern(4));
  };
  const bench = new Bench({ pack, maxQueuedBytes: 2 ** 20 });
  const tail = pattern(20_000, 3);
  bench.send(1, 10);
  bench.send(2, 10, tail);
  bench.send(3, 10);
  await bench.drain();
  assertEquals(batches.length, 1);
  assertEquals((await received(batches)).map(({ kind, body }) => [kind, body.length]), [[1, 10], [2, 20_010], [3, 10]]);
  assertEquals(bench.writes, [pattern(4)]);
  assertEquals(bench.queue.bytesWritten, 4);
  assertEquals(bench.queue.queuedBytes, 0);
});

Deno.test("SendQueue fails when packing does, and writes nothing when it was closed meanwhile", async () => {
  const failing = new Bench({ pack: () => Promise.reject(new Error("Cannot pack")) });
  failing.send(1, 10);
  await failing.endTurn();
  assertEquals(failing.failures.map(String), ["Error: Cannot pack"]);
  assertEquals(failing.queue.queuedBytes, 0);

  const packing = Promise.withResolvers<Uint8Array>();
  const closed = new Bench({ pack: () => packing.promise });
  closed.send(1, 10);
  await closed.endTurn();
  closed.queue.close();
  packing.resolve(pattern(3));
  await settled();
  assertEquals(closed.writes, []);
});

Deno.test("SendQueue tells for each batch how long it waited for the socket, from its first frame on", async () => {
  let now = 0;
  const waits = new Histogram([10, 100]);
  const told: number[] = [];
  waits.taps.add((wait) => void told.push(wait));
  const bench = new Bench({ waits, now: () => now });
  bench.send(1, 10);
  now = 5;
  bench.send(2, 10);
  await bench.endTurn();
  now = 20;
  bench.send(3, 10);
  now = 30;
  await bench.finishWrite();
  assertEquals(told, [30]);
  now = 70;
  await bench.finishWrite();
  assertEquals(told, [30, 50]);
});
