// Copyright 2026 the Partisan peer-service authors. MIT license.

import { ByteWriter } from "./byte_writer.ts";
import { FRAME_HEADER_BYTES } from "./frame_reader.ts";

const KEPT_WHEN_IDLE_BYTES = 2 * 1024;
const KEPT_WHEN_BUSY_BYTES = 256 * 1024;

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

/** What a {@linkcode SendQueue} needs from its connection. */
export interface SendQueueOptions {
  /** Writes a batch to the stream. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Runs a callback at the end of this turn of the event loop. */
  readonly defer: (callback: () => void) => void;
  /** Called when a write failed; the queue is closed then. */
  readonly failed: (error: unknown) => void;
  /** Bytes that may wait before `drained()` makes senders wait. */
  readonly highWaterMark: number;
  /** Bytes that may wait at all. A single larger frame is taken when nothing else waits. */
  readonly maxQueuedBytes: number;
  /** Packs a batch before it is written, when that pays. */
  readonly pack?: ((batch: Uint8Array) => Promise<Uint8Array>) | undefined;
}

/**
 * The outbound half of a connection. Frames are encoded straight into the batch that the next write takes: what is sent in one
 * turn of the event loop leaves in one write, and while a write is in flight the next batch fills. Bounded in bytes.
 */
export class SendQueue {
  readonly #options: SendQueueOptions;
  #writer: ByteWriter | null = null;
  #spare: ByteWriter | null = null;
  /** Finished pieces of the next batch in front of what the writer holds. */
  #segments: Uint8Array[] = [];
  #segmentStart = 0;
  #frameStart = 0;
  #begun = false;
  #queuedBytes = 0;
  #inFlightBytes = 0;
  #bytesWritten = 0;
  #scheduled = false;
  #writing = false;
  #closed = false;
  #waiters: Waiter[] = [];

  constructor(options: SendQueueOptions) {
    this.#options = options;
  }

  /** Bytes that wait, those of the write in flight included. */
  get queuedBytes(): number {
    return this.#queuedBytes + this.#inFlightBytes;
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
    const writer = this.#writer ??= this.#spare ?? new ByteWriter();
    this.#spare = null;
    this.#frameStart = writer.length;
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
    // An idle queue must not hold on to the room that a huge message asked for.
    if (this.#queuedBytes === 0 && writer.bytes.length > KEPT_WHEN_BUSY_BYTES) this.#writer = null;
  }

  /**
   * Queues the frame that was begun, followed by `tail`, which is written without being copied and must not change until then.
   * (Where batches are packed it is copied: they are packed as a whole.) Does nothing once the queue is closed.
   */
  commit(tail?: Uint8Array): void {
    const writer = this.#writer!;
    this.#begun = false;
    if (this.#closed) return;
    const bytes = writer.length - this.#frameStart + (tail?.length ?? 0);
    writer.setU32(this.#frameStart, bytes - 4);
    this.#queuedBytes += bytes;
    if (tail !== undefined && this.#options.pack !== undefined) {
      writer.raw(tail);
    } else if (tail !== undefined) {
      this.#segments.push(writer.bytes.subarray(this.#segmentStart, writer.length), tail);
      this.#segmentStart = writer.length;
    }
    if (!this.#scheduled && !this.#writing) {
      this.#scheduled = true;
      this.#options.defer(this.#flush);
    }
  }

  /** Resolves once the queue is at or below its high-water mark, or closed. */
  drained(): Promise<void> {
    return this.#atMost(this.#options.highWaterMark);
  }

  /** Resolves once everything is written, or the queue closed. */
  flushed(): Promise<void> {
    return this.#atMost(0);
  }

  /** Drops what waits and takes nothing more. @returns The number of bytes that were dropped. */
  close(): number {
    const dropped = this.#queuedBytes;
    this.#closed = true;
    // A frame that is being encoded keeps its writer.
    if (!this.#begun) this.#writer = null;
    this.#spare = null;
    this.#segments = [];
    this.#queuedBytes = this.#inFlightBytes = 0;
    this.#wake();
    return dropped;
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    this.#writeBatches();
  };

  async #writeBatches(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#queuedBytes > 0 && !this.#closed) {
        const writer = this.#writer!;
        const segments = this.#takeBatch(writer);
        for (const segment of segments) {
          const packed = this.#options.pack === undefined ? segment : await this.#options.pack(segment);
          if (this.#closed) return;
          await this.#options.write(packed);
          this.#bytesWritten += packed.length;
          if (this.#closed) return;
          this.#inFlightBytes -= segment.length;
          this.#wake();
        }
        this.#recycle(writer);
      }
    } catch (error) {
      if (this.#closed) return;
      this.close();
      this.#options.failed(error);
    } finally {
      this.#writing = false;
    }
  }

  /** Takes all that waits; the next frames go into another writer. */
  #takeBatch(writer: ByteWriter): Uint8Array[] {
    const segments = this.#segments;
    if (writer.length > this.#segmentStart) segments.push(writer.bytes.subarray(this.#segmentStart, writer.length));
    this.#writer = null;
    this.#segments = [];
    this.#segmentStart = 0;
    this.#inFlightBytes = this.#queuedBytes;
    this.#queuedBytes = 0;
    return segments;
  }

  /** Keeps a written batch's buffer for the next one; an idle connection holds none, or a small one. */
  #recycle(writer: ByteWriter): void {
    const kept = this.#writer === null ? KEPT_WHEN_IDLE_BYTES : KEPT_WHEN_BUSY_BYTES;
    if (writer.bytes.length > kept) return;
    writer.length = 0;
    this.#spare = writer;
  }

  #atMost(bytes: number): Promise<void> {
    if (this.#closed || this.queuedBytes <= bytes) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ bytes, resolve }));
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const satisfied = this.#waiters.filter((waiter) => waiter.bytes >= this.queuedBytes);
    this.#waiters = this.#waiters.filter((waiter) => waiter.bytes < this.queuedBytes);
    for (const { resolve } of satisfied) resolve();
  }
}
