// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { SendQueue } from "../../../connections/send_queue.ts";
import { NotConnectedError } from "../../../messaging/errors.ts";
import type { StreamEnd } from "../../../messaging/streams/stream_end.ts";
import { type StreamCarrier, StreamLine } from "../../../messaging/streams/stream_line.ts";
import { RoomPool } from "../../../messaging/streams/room_pool.ts";
import { StreamShare } from "../../../messaging/streams/stream_share.ts";
import { FrameReader } from "../../../wire/frame_reader.ts";
import { PayloadCodec } from "../../../wire/payload_codec.ts";
import { firstOf, lastOf, nthOf } from "../../values.ts";

const FRAME_BYTES_MAX = 1024 * 1024;
const CLOSED = new NotConnectedError("The connection closed");
const LOST = "Cannot go on with the stream: the other side has lost the connection";

/** One of two nodes that have streams with each other. */
class Side {
  readonly line: StreamLine;
  /** Ends of streams that the other side has opened. */
  readonly opened: StreamEnd[] = [];
  carrier: StreamCarrier | null = null;
  /** The incarnation of the other side. */
  incarnation = 1;

  constructor(isEven: boolean) {
    this.line = new StreamLine({
      rooms: new RoomPool(),
      codec: new PayloadCodec(),
      now: () => 0,
      node: "other",
      isEven,
      carrier: () => this.carrier,
      incarnation: () => this.incarnation,
      share: new StreamShare(1_000),
      opened: (end) => {
        end.accept();
        this.opened.push(end);
      },
    });
  }

  /** Opens a stream. */
  async open(): Promise<StreamEnd> {
    const end = this.line.open("bytes");
    await end.open("handler", this.line.encode("handler", null, FRAME_BYTES_MAX));
    return end;
  }
}

/** A connection between two sides, of which either may close first. */
class Link {
  readonly near: StreamCarrier & { readonly queue: SendQueue };
  readonly far: StreamCarrier & { readonly queue: SendQueue };
  /** Whether what is written comes. */
  isCut = false;

  constructor(near: Side, far: Side, openedAt: number) {
    this.near = { queue: this.#queue(() => far, () => this.far), openedAt };
    this.far = { queue: this.#queue(() => near, () => this.near), openedAt };
  }

  #queue(to: () => Side, over: () => StreamCarrier): SendQueue {
    return new SendQueue({
      write: async (bytes) => {
        if (!this.isCut) await takeFrames(bytes.slice(), to(), over());
      },
      defer: (callback) => queueMicrotask(callback),
      failed: (error) => Promise.reject(error),
      highWaterMark: FRAME_BYTES_MAX,
      maxQueuedBytes: FRAME_BYTES_MAX,
    });
  }
}

/** Hands a batch of whole frames to a side. */
async function takeFrames(bytes: Uint8Array, side: Side, carrier: StreamCarrier): Promise<void> {
  let at = 0;
  const source = {
    read(buffer: Uint8Array): Promise<number | null> {
      const part = bytes.subarray(at, at + buffer.length);
      buffer.set(part);
      at += part.length;
      return Promise.resolve(part.length === 0 ? null : part.length);
    },
  };
  const reader = new FrameReader(source, FRAME_BYTES_MAX);
  await reader.run((kind, buffer, start, end) => void side.line.take(carrier, kind, buffer, start, end, reader));
}

/** The ends of two streams, of which each side has opened one. */
interface Ends {
  readonly near: readonly StreamEnd[];
  readonly far: readonly StreamEnd[];
}

/** Two sides, and what is between them. */
class Pair {
  readonly near = new Side(true);
  readonly far = new Side(false);

  /** Gives both sides a connection. */
  connect(openedAt: number): Link {
    const link = new Link(this.near, this.far, openedAt);
    this.near.carrier = link.near;
    this.far.carrier = link.far;
    return link;
  }

  /** Opens a stream from each side. */
  async open(): Promise<Ends> {
    const ours = await this.near.open();
    const theirs = await this.far.open();
    return { near: [ours, lastOf(this.near.opened)], far: [lastOf(this.far.opened), theirs] };
  }
}

/** Lets go what is deferred. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

/** Errors with which streams have ended; `undefined` while they are open. */
async function ended(ends: readonly StreamEnd[]): Promise<unknown[]> {
  return await Promise.all(ends.map((end) => Promise.race([end.closed.catch(({ message }) => message), settle()])));
}

/** Whether bytes go both ways. */
async function checkFlow(near: StreamEnd, far: StreamEnd): Promise<void> {
  for (const [from, to] of [[near, far], [far, near]] as const) {
    from.write(Uint8Array.of(1, 2, 3));
    await to.readable();
    assertEquals(to.take(), Uint8Array.of(1, 2, 3));
  }
}

Deno.test("streams that one side has lost end at the other one too, once there is a connection again, whichever side has opened them", async () => {
  const pair = new Pair();
  const first = pair.connect(1);
  const { near, far } = await pair.open();
  // Everything came, so the far side goes on; the near one has nothing in the place when it learns that.
  pair.near.carrier = null;
  pair.near.line.lose(CLOSED);
  pair.far.line.replaced(first.far, undefined);
  assertEquals(await ended(near), [CLOSED.message, CLOSED.message]);
  assertEquals(await ended(far), [undefined, undefined]);
  pair.connect(2);
  pair.near.line.pump();
  assertEquals(await ended(far), [LOST, LOST]);
  assert(await firstOf(far).closed.catch((error) => error) instanceof NotConnectedError);
  const fresh = await pair.open();
  await checkFlow(firstOf(fresh.near), firstOf(fresh.far));
  await checkFlow(nthOf(fresh.near, 1), nthOf(fresh.far, 1));
});

Deno.test("another incarnation of the other side is not told of the streams of the former one, and may use their numbers", async () => {
  for (const isKnownBefore of [true, false]) {
    for (const isSpokenToFirst of [true, false]) {
      const pair = new Pair();
      const { near } = pair;
      pair.connect(1);
      await pair.open();
      await pair.open();
      if (isKnownBefore) near.incarnation = 2;
      near.carrier = null;
      near.line.lose(CLOSED);
      near.incarnation = 2;
      const next = new Side(false);
      const link = new Link(near, next, 2);
      [near.carrier, next.carrier] = [link.near, link.far];
      const opening = [next.open(), next.open()];
      if (isSpokenToFirst) near.line.pump();
      const theirs = await Promise.all(opening);
      assertEquals(await ended(theirs), [undefined, undefined]);
      await checkFlow(lastOf(near.opened), nthOf(theirs, 1));
      // What is lost of this incarnation is told again.
      near.carrier = null;
      near.line.lose(CLOSED);
      near.carrier = link.near;
      near.line.pump();
      assertEquals(await ended(theirs), [LOST, LOST]);
    }
  }
});

Deno.test("streams with a later incarnation are told of when they are lost, though there were none with the former one", async () => {
  const pair = new Pair();
  pair.near.incarnation = 2;
  pair.connect(1);
  const { far } = await pair.open();
  pair.near.carrier = null;
  pair.near.line.lose(CLOSED);
  pair.connect(2);
  pair.near.line.pump();
  assertEquals(await ended(far), [LOST, LOST]);
});

Deno.test("a stream goes on over a connection that takes the place of one that was read to its end", async () => {
  const pair = new Pair();
  const first = pair.connect(1);
  const { near, far } = await pair.open();
  pair.connect(2);
  pair.near.line.replaced(first.near, undefined);
  pair.far.line.replaced(first.far, undefined);
  await checkFlow(firstOf(near), firstOf(far));
  await checkFlow(nthOf(near, 1), nthOf(far, 1));
});

Deno.test("a stream ends when what may have carried its last word breaks, though this side has put nothing into it", async () => {
  const pair = new Pair();
  const first = pair.connect(1);
  const { near, far } = await pair.open();
  const second = pair.connect(2);
  pair.near.line.replaced(first.near, undefined);
  pair.far.line.replaced(first.far, undefined);
  second.isCut = true;
  firstOf(near).giveUp(3, new Error("Enough"));
  nthOf(near, 1).giveUp(3, new Error("Enough"));
  await settle();
  pair.connect(3);
  // Neither side has a word for the other one: both find out by themselves.
  pair.far.line.replaced(second.far, CLOSED);
  assertEquals(await ended(far), [CLOSED.message, CLOSED.message]);
});

Deno.test("a stream goes on when a connection breaks that was replaced before the stream began", async () => {
  const pair = new Pair();
  const first = pair.connect(1);
  pair.connect(2);
  const { near, far } = await pair.open();
  pair.near.line.replaced(first.near, CLOSED);
  pair.far.line.replaced(first.far, CLOSED);
  await checkFlow(firstOf(near), firstOf(far));
  await checkFlow(nthOf(near, 1), nthOf(far, 1));
});
