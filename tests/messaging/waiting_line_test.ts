// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLessOrEqual, assertRejects, assertThrows } from "@std/assert";
import { QueueFullError } from "../../messaging/errors.ts";
import { WaitingLine } from "../../messaging/waiting_line.ts";
import { SendQueue } from "../../connections/send_queue.ts";
import { settled } from "../connections/fake_stream.ts";
import { lastOf } from "../values.ts";

/** A line before a queue whose writes end when the test says so. */
class Bench {
  readonly queue: SendQueue;
  readonly line: WaitingLine;
  /** Whether the line said that no node waits any more. */
  emptied = false;
  /** Numbers of the messages that were queued, in order. */
  readonly sent: number[] = [];
  /** Number of times that a message was tried. */
  tries = 0;
  readonly #writes: PromiseWithResolvers<void>[] = [];

  constructor() {
    this.queue = new SendQueue({
      write: () => {
        this.#writes.push(Promise.withResolvers());
        return lastOf(this.#writes).promise;
      },
      defer: queueMicrotask,
      failed: () => {},
      highWaterMark: 250,
      maxQueuedBytes: 1000,
    });
    this.line = new WaitingLine(this.queue, () => this.emptied = true);
  }

  /** Tries to queue a message. */
  write(number: number, size = 100): boolean {
    this.tries++;
    if (!this.queue.hasRoomFor(size)) return false;
    this.queue.begin(1).raw(new Uint8Array(size - 5));
    this.queue.commit();
    this.sent.push(number);
    return true;
  }

  /** Fills the queue to its bound: with a write in flight, and less than the high-water mark behind it. */
  async fill(): Promise<void> {
    for (let count = 0; count < 8; count++) this.write(0);
    await settled();
    while (this.write(0));
    await settled();
    this.tries = 0;
    this.sent.length = 0;
  }

  wait(number: number, size?: number, signal?: AbortSignal): Promise<void> {
    return this.line.wait(() => this.write(number, size) ? null : this.queue, signal);
  }

  /** The write in flight is done. */
  async finishWrite(): Promise<void> {
    this.#writes.shift()?.resolve();
    await settled();
  }

  async drain(): Promise<void> {
    while (this.#writes.length > 0) await this.finishWrite();
  }
}

Deno.test("WaitingLine lets senders through in the order in which they came, as there is room", async () => {
  const bench = new Bench();
  await bench.fill();
  const waiting = [1, 2, 3, 4, 5, 6].map((number) => bench.wait(number));
  assertEquals(bench.emptied, false);
  await settled();
  assertEquals(bench.sent, []);
  await bench.drain();
  await Promise.all(waiting);
  assertEquals(bench.sent, [1, 2, 3, 4, 5, 6]);
  assert(bench.emptied);
});

Deno.test("WaitingLine keeps the order when a large message is in front of small ones", async () => {
  const bench = new Bench();
  await bench.fill();
  const waiting = [bench.wait(1, 5000), bench.wait(2), bench.wait(3, 900), bench.wait(4)];
  await bench.drain();
  await Promise.all(waiting);
  assertEquals(bench.sent, [1, 2, 3, 4]);
});

Deno.test("WaitingLine does not spin for a message that is larger than what is free below the high-water mark", async () => {
  const bench = new Bench();
  bench.write(0, 200);
  await settled();
  bench.tries = 0;
  let done = false;
  const waiting = bench.wait(1, 900).then(() => done = true);
  for (let count = 0; count < 100; count++) await settled();
  assertEquals(done, false);
  assertLessOrEqual(bench.tries, 2);
  await bench.drain();
  await waiting;
  assertLessOrEqual(bench.tries, 3);
});

Deno.test("WaitingLine passes on what a message throws, and lets those behind it through", async () => {
  const bench = new Bench();
  await bench.fill();
  const failing = bench.line.wait(() => {
    throw new TypeError("Cannot encode");
  });
  failing.catch(() => {});
  const next = bench.wait(2);
  await bench.drain();
  await assertRejects(() => failing, TypeError, "Cannot encode");
  await next;
  assertEquals(bench.sent, [2]);
  assert(bench.emptied);
});

Deno.test("WaitingLine does not send for a sender that gave up before its turn", async () => {
  const bench = new Bench();
  await bench.fill();
  const controller = new AbortController();
  const given = bench.wait(1, 100, controller.signal);
  given.catch(() => {});
  const next = bench.wait(2, 100, AbortSignal.any([]));
  controller.abort(new Error("Enough"));
  await bench.drain();
  await assertRejects(() => given, Error, "Enough");
  await next;
  assertEquals(bench.sent, [2]);
});

Deno.test("WaitingLine lets everyone try once the queue is closed, which is for them to notice", async () => {
  const bench = new Bench();
  await bench.fill();
  let isClosed = false;
  const waiting = [1, 2, 3].map(() =>
    bench.line.wait(() => {
      if (isClosed) throw new Error("Connection closed");
      return bench.queue;
    })
  );
  for (const wait of waiting) wait.catch(() => {});
  await settled();
  isClosed = true;
  bench.queue.close();
  for (const wait of waiting) await assertRejects(() => wait, Error, "Connection closed");
  assert(bench.emptied);
});

Deno.test("WaitingLine waits for the queue that has no room, which is another one once the connection is replaced", async () => {
  const bench = new Bench();
  const successor = new Bench();
  await bench.fill();
  await successor.fill();
  let tries = 0;
  const waiting = bench.line.wait(() => {
    tries++;
    return successor.write(1, 100) ? null : successor.queue;
  });
  await bench.drain();
  await settled();
  assertEquals([tries, successor.sent], [1, []]);
  await successor.drain();
  await waiting;
  assertEquals([tries, successor.sent], [2, [1]]);
});

Deno.test("WaitingLine is bounded", async () => {
  const bench = new Bench();
  await bench.fill();
  const waiting = Array.from({ length: 16_384 }, (_, number) =>
    bench.line.wait(() => {
      bench.sent.push(number);
      return null;
    }));
  assertThrows(() => bench.wait(1), QueueFullError, "16384 messages of 0 bytes wait for room already");
  await bench.drain();
  await Promise.all(waiting);
  assertEquals(bench.sent.length, 16_384);
  await bench.wait(1);
});
