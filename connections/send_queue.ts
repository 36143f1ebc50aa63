// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteWriter } from "../wire/byte_writer.ts";
import type { Histogram } from "../runtime/histogram.ts";
import { FRAME_HEADER_BYTES, type GiveWay } from "../wire/frame_reader.ts";
import type { LocalRuntime } from "../runtime/runtime.ts";
import { WriterPool } from "./writer_pool.ts";

/**
 * A batch of this size is complete: large enough that a write costs little per byte, small enough for the processor's cache. One chunk of
 * a stream with its head leaves room for another one, since a write that wakes the other side costs more than a chunk to copy.
 */
const BATCH_BYTES = 64 * 1024 + 32;
/** After a write of this size others may be due. */
const LARGE_WRITE_BYTES = 64 * 1024;

/** Frames of one write. */
interface Batch {
  readonly bytes: Uint8Array;
  /** The writer that is free once this is written, if any. */
  readonly writer: ByteWriter | null;
  /** The room that is free once this is written, if any. */
  readonly room?: Uint8Array<ArrayBuffer>;
  /** Time at which its first frame was begun, in milliseconds on the local clock. */
  readonly since: number;
}

/** Waits for the bytes that were queued before it. */
interface PositionWaiter {
  readonly position: number;
  readonly resolve: () => void;
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

/** Part of its connection that a {@linkcode SendQueue} uses. */
export interface SendQueueOptions {
  /** Writes a batch to the stream. */
  write(bytes: Uint8Array): Promise<void>;
  /** Runs a callback at the end of this turn of the event loop. */
  defer(callback: () => void): void;
  /** Asked after each large write: a socket that is never full would keep timers and other streams waiting. */
  giveWay?(): ReturnType<GiveWay>;
  /** Runs a callback in the next turn of the event loop, until which what comes in during a small write may gather. */
  readonly nextTurn?: LocalRuntime["nextTurn"];
  /** Called when a write failed; the queue is closed then. */
  failed(error: unknown): void;
  /** Bytes that may wait before `drained()` makes senders wait. */
  readonly highWaterMark: number;
  /** Bytes that may wait at all. A single larger frame is taken when nothing else waits. */
  readonly maxQueuedBytes: number;
  /** Packs a batch before it is written, when that pays. */
  readonly pack?: ((batch: Uint8Array) => Promise<Uint8Array>) | undefined;
  /**
   * Pool of writers.
   *
   * @default {a pool of its own}
   */
  readonly writers?: WriterPool | undefined;
  /**
   * Told for each batch how many milliseconds it waited until it was written, from its first frame on.
   *
   * @default {none}
   */
  readonly waits?: Histogram | undefined;
  /** Milliseconds on the local clock, for `waits`. */
  now?(): number;
}

/**
 * The outbound half of a connection. Frames are encoded straight into the batch that the next write takes: what is sent in one
 * turn of the event loop leaves in one write, and while a write is in flight the next batch fills. Bounded in bytes.
 */
export class SendQueue {
  readonly #options: SendQueueOptions;
  readonly #writers: WriterPool;
  readonly #highWaterMark: number;
  /** Complete batches, oldest first. */
  #batches: Batch[] = [];
  /** Takes the next frames. The part before `#batchStart` is in a complete batch. */
  #writer: ByteWriter | null = null;
  #batchStart = 0;
  #frameStart = 0;
  #since = 0;
  #begun = false;
  #queuedBytes = 0;
  #inFlightBytes = 0;
  #bytesWritten = 0;
  #busy = false;
  /** Called when a batch is full that the writes wait for. */
  #filled: (() => void) | null = null;
  #closed = false;
  #waiters: Waiter[] = [];
  /** Most bytes that any of them bears with: as long as more wait, none of them need be looked at. */
  #borne = 0;
  /** Bytes taken from senders since the beginning, before they are packed. */
  #taken = 0;
  /** In the order of their positions. */
  #positionWaiters: PositionWaiter[] = [];

  constructor(options: SendQueueOptions) {
    this.#options = options;
    this.#highWaterMark = options.highWaterMark;
    this.#writers = options.writers ?? new WriterPool();
  }

  /** Bytes that wait, those of the write in flight included. */
  get queuedBytes(): number {
    return this.#queuedBytes + this.#inFlightBytes;
  }

  /** Whether it takes nothing more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes taken from senders so far, before they are packed. */
  get taken(): number {
    return this.#taken;
  }

  /** Bytes written to the stream so far. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Whether senders should wait for {@linkcode SendQueue.drained}. */
  get aboveHighWaterMark(): boolean {
    return this.queuedBytes > this.#options.highWaterMark;
  }

  /** Whether a frame of `bytes` would still be accepted. */
  hasRoomFor(bytes: number): boolean {
    return this.queuedBytes === 0 || this.queuedBytes + bytes <= this.#options.maxQueuedBytes;
  }

  /**
   * Begins a frame; its body goes into the writer that is returned. Ends with `commit` or `rollback`.
   *
   * @throws {TypeError} When another one was begun: encoding a message runs code of the user, which may try to send.
   */
  begin(kind: number): ByteWriter {
    if (this.#begun) throw new TypeError("Cannot begin a frame: another one is being encoded");
    this.#begun = true;
    const writer = this.#writer ??= this.#writers.take();
    this.#frameStart = writer.length;
    if (writer.length === this.#batchStart && this.#options.waits !== undefined) this.#since = this.#options.now!();
    writer.reserve(FRAME_HEADER_BYTES);
    writer.length += 4;
    writer.u8(kind);
    return writer;
  }

  /** Bytes of the frame that was begun, its header included. */
  get frameBytes(): number {
    return this.#writer!.length - this.#frameStart;
  }

  /** Takes back the frame that was begun. */
  rollback(): void {
    const writer = this.#writer!;
    this.#begun = false;
    writer.length = this.#frameStart;
    // An idle queue holds on to nothing, least of all to the room that a huge message asked for.
    if (writer.length === 0) this.#release(writer);
  }

  /**
   * Queues the frame that was begun, followed by `tail`, which is written without being copied and must not change until then.
   * (Where batches are packed it is copied: they are packed as a whole.) Does nothing once the queue is closed.
   *
   * @param isCopied Whether `tail` is copied at once, since it may change.
   */
  commit(tail?: Uint8Array, isCopied = false): void {
    const writer = this.#writer!;
    this.#begun = false;
    if (this.#closed) return;
    const bytes = writer.length - this.#frameStart + (tail?.length ?? 0);
    writer.setU32(this.#frameStart, bytes - 4);
    this.#queuedBytes += bytes;
    this.#taken += bytes;
    if (tail !== undefined) isCopied ? this.#appendCopy(writer, tail) : this.#append(writer, tail);
    if (writer.length - this.#batchStart >= BATCH_BYTES) this.#complete(writer);
    if (this.#filled !== null && this.#batches.length > 0) this.#goOn();
    if (this.#busy) return;
    this.#busy = true;
    this.#options.defer(this.#writeBatches);
  }

  /**
   * The writer for a frame of `bytes`, where that joins others in a batch, which it does not complete, and the queue stays below its
   * high-water mark; else `null`. The frame is written as a whole, then {@linkcode SendQueue.appended}.
   */
  writerFor(bytes: number): ByteWriter | null {
    const writer = this.#writer;
    if (writer === null || this.#begun || this.#closed) return null;
    const { length } = writer;
    const hasRoom = length > this.#batchStart && length + bytes <= writer.bytes.length &&
      length + bytes - this.#batchStart < BATCH_BYTES;
    return hasRoom && this.queuedBytes + bytes <= this.#highWaterMark ? writer : null;
  }

  /** The writer has got a frame of `bytes`. A batch that has begun is to be written anyhow. */
  appended(bytes: number): void {
    this.#queuedBytes += bytes;
    this.#taken += bytes;
  }

  /** Resolves once no more than `bytes` wait, or the queue is closed. The high-water mark counts when nothing else is said. */
  drained(bytes: number = this.#options.highWaterMark): Promise<void> {
    return this.#atMost(bytes);
  }

  /** Resolves once everything is written, or the queue closed. */
  flushed(): Promise<void> {
    return this.#atMost(0);
  }

  /** Lets those look that wait for room: there may be some elsewhere. */
  release(): void {
    for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  /** Resolves once everything that was queued before is written, whatever comes after it, or the queue closed. */
  written(): Promise<void> {
    if (this.#closed || this.queuedBytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.#positionWaiters.push({ position: this.#taken, resolve }));
  }

  /** Drops what waits and takes nothing more. @returns The number of bytes that were dropped. */
  close(): number {
    const dropped = this.#queuedBytes;
    this.#closed = true;
    // A frame that is being encoded keeps its writer.
    if (!this.#begun) this.#writer = null;
    this.#batches = [];
    this.#queuedBytes = this.#inFlightBytes = 0;
    this.#wake();
    return dropped;
  }

  readonly #writeBatches = async (): Promise<void> => {
    const options = this.#options;
    const { pack, waits } = options;
    try {
      for (let batch = this.#next(); batch !== undefined; batch = this.#next()) {
        const packed = pack === undefined ? batch.bytes : await pack(batch.bytes);
        if (this.#closed) return;
        await options.write(packed);
        this.#bytesWritten += packed.length;
        waits?.record(options.now!() - batch.since);
        if (this.#closed) return;
        this.#inFlightBytes = 0;
        if (batch.writer !== null) this.#writers.give(batch.writer);
        if (batch.room !== undefined) this.#writers.giveLarge(batch.room);
        this.#wake();
        const turn = batch.bytes.length < LARGE_WRITE_BYTES ? this.#gather() : options.giveWay?.();
        if (turn !== undefined) await turn;
      }
      this.#busy = false;
    } catch (error) {
      if (this.#closed) return;
      this.close();
      options.failed(error);
    }
  };

  /**
   * Lets what has come in during a small write gather, until it fills a batch or the turn of the event loop ends: code that sends and
   * awaits in a loop never leaves the turn, and would have a write for every few messages.
   */
  #gather(): Promise<void> | undefined {
    const { nextTurn } = this.#options;
    if (nextTurn === undefined || this.#writer === null || this.#batches.length > 0) return undefined;
    return new Promise((resolve) => {
      this.#filled = resolve;
      nextTurn(resolve);
    });
  }

  /** Ends the wait of the writes for a batch to fill. */
  #goOn(): void {
    this.#filled?.();
    this.#filled = null;
  }

  /** Takes the oldest batch, if need be what there is of the next one. */
  #next(): Batch | undefined {
    if (this.#batches.length === 0 && this.#writer !== null) this.#complete(this.#writer);
    const batch = this.#batches.shift();
    if (batch !== undefined) {
      this.#inFlightBytes = batch.bytes.length;
      this.#queuedBytes -= batch.bytes.length;
    }
    return batch;
  }

  /** Makes a batch of what the writer holds; the next frames go into another one. */
  #complete(writer: ByteWriter): void {
    if (writer.length > this.#batchStart) {
      this.#batches.push({ bytes: writer.bytes.subarray(this.#batchStart, writer.length), writer, since: this.#since });
      this.#writer = null;
      this.#batchStart = 0;
    } else {
      // All that it held went out in front of a tail.
      this.#release(writer);
    }
  }

  /** Puts `tail` behind what the writer holds. */
  #append(writer: ByteWriter, tail: Uint8Array): void {
    if (this.#options.pack !== undefined) return writer.raw(tail);
    const bytes = writer.bytes.subarray(this.#batchStart, writer.length);
    const since = this.#since;
    this.#batches.push({ bytes, writer: null, since }, { bytes: tail, writer: null, since });
    this.#batchStart = writer.length;
  }

  /** Puts a copy of `tail` behind what the writer holds, so that one write takes both. */
  #appendCopy(writer: ByteWriter, tail: Uint8Array): void {
    if (this.#options.pack !== undefined) return writer.raw(tail);
    const head = writer.bytes.subarray(this.#batchStart, writer.length);
    const room = this.#writers.takeLarge(head.length + tail.length);
    room.set(head);
    room.set(tail, head.length);
    const bytes = room.subarray(0, head.length + tail.length);
    this.#batches.push({ bytes, writer: null, room, since: this.#since });
    writer.length = this.#batchStart;
  }

  #release(writer: ByteWriter): void {
    this.#writer = null;
    this.#batchStart = 0;
    this.#writers.give(writer);
  }

  #atMost(bytes: number): Promise<void> {
    if (this.#closed || this.queuedBytes <= bytes) return Promise.resolve();
    this.#borne = Math.max(this.#borne, bytes);
    return new Promise((resolve) => this.#waiters.push({ bytes, resolve }));
  }

  #wake(): void {
    if (this.#positionWaiters.length > 0) this.#wakePositions();
    if (this.#waiters.length === 0 || this.queuedBytes > this.#borne) return;
    const satisfied = this.#waiters.filter((waiter) => waiter.bytes >= this.queuedBytes);
    this.#waiters = this.#waiters.filter((waiter) => waiter.bytes < this.queuedBytes);
    this.#borne = this.#waiters.reduce((most, { bytes }) => Math.max(most, bytes), 0);
    for (const { resolve } of satisfied) resolve();
  }

  #wakePositions(): void {
    const written = this.#closed ? Infinity : this.#taken - this.queuedBytes;
    const end = this.#positionWaiters.findIndex(({ position }) => position > written);
    for (const { resolve } of this.#positionWaiters.splice(0, end < 0 ? Infinity : end)) resolve();
  }
}
