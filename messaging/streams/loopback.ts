// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SendQueue } from "../../connections/send_queue.ts";
import type { LocalRuntime } from "../../runtime/runtime.ts";
import { type ByteSource, FrameReader } from "../../wire/frame_reader.ts";
import { type StreamCarrier, StreamLine, type StreamLineOptions } from "./stream_line.ts";

/** Bytes that may wait on their way. */
const QUEUED_MAX_BYTES = 16 * 1024 * 1024;

/** Dependencies of a {@linkcode Loopback}. */
export interface LoopbackOptions extends Omit<StreamLineOptions, "isEven" | "carrier" | "incarnation"> {
  readonly runtime: Pick<LocalRuntime, "defer" | "giveWay">;
  readonly maxFrameBytes: number;
}

/** Streams of a node to itself: two lines, and the same frames between them as between nodes. */
export class Loopback {
  /** Opens streams. */
  readonly near: StreamLine;
  readonly #options: LoopbackOptions;
  readonly #pipes: Pipe[] = [];

  constructor(options: LoopbackOptions) {
    this.#options = options;
    const there: StreamCarrier = this.#carrier(() => [far, back]);
    const back: StreamCarrier = this.#carrier(() => [this.near, there]);
    const incarnation = () => 0;
    this.near = new StreamLine({ ...options, isEven: true, carrier: () => there, incarnation });
    const far = new StreamLine({ ...options, isEven: false, carrier: () => back, incarnation });
  }

  /** Ends it. */
  close(): void {
    for (const pipe of this.#pipes) pipe.close();
  }

  /** Carrier of frames to a line, which answers over another one. */
  #carrier(to: () => readonly [StreamLine, StreamCarrier]): StreamCarrier {
    const { runtime, maxFrameBytes } = this.#options;
    const giveWay = () => runtime.giveWay?.();
    const pipe = new Pipe();
    this.#pipes.push(pipe);
    const reader = new FrameReader(pipe, maxFrameBytes);
    void reader.run((kind, buffer, start, end) => {
      const [line, back] = to();
      line.take(back, kind, buffer, start, end, reader);
    }, giveWay);
    const queue = new SendQueue({
      write: (bytes) => pipe.write(bytes),
      defer: (callback) => runtime.defer(callback),
      giveWay,
      failed: () => {},
      highWaterMark: QUEUED_MAX_BYTES,
      maxQueuedBytes: QUEUED_MAX_BYTES,
    });
    return { queue, openedAt: -Infinity };
  }
}

/** Pipe: bytes that are written at one end are read at the other, as a copy. */
class Pipe implements ByteSource {
  #bytes: Uint8Array | null = null;
  #at = 0;
  #written = Promise.withResolvers<void>();
  #arrived = Promise.withResolvers<void>();
  #closed = false;

  /** Resolves once everything is read. One write at a time. */
  write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0 || this.#closed) return Promise.resolve();
    this.#bytes = bytes;
    this.#at = 0;
    this.#written = Promise.withResolvers();
    this.#arrived.resolve();
    return this.#written.promise;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#bytes === null) await this.#arrived.promise;
    if (this.#bytes === null) return null;
    const part = this.#bytes.subarray(this.#at, this.#at + buffer.length);
    buffer.set(part);
    this.#at += part.length;
    if (this.#at === this.#bytes.length) {
      this.#bytes = null;
      this.#arrived = Promise.withResolvers();
      if (this.#closed) this.#arrived.resolve();
      this.#written.resolve();
    }
    return part.length;
  }

  /** Nothing more comes. */
  close(): void {
    this.#closed = true;
    this.#arrived.resolve();
  }
}
