// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Histogram } from "../runtime/histogram.ts";
import type { ByteStream } from "../transport/transport.ts";
import type { Runtime } from "../transport/runtime.ts";
import { compressBatch } from "./compression.ts";
import type { SendQueueOptions } from "./send_queue.ts";
import type { WriterPool } from "./writer_pool.ts";

/** Part of a connection that its {@linkcode Outlet} uses. */
export interface OutletOwner {
  /** Largest frame that may be sent, in bytes, without its 4 bytes of length. */
  readonly maxFrameBytes: number;
  /** Closes it, because of `error`. */
  close(error: unknown): void;
}

/** Bounds and habits of an {@linkcode Outlet}. */
export interface OutletOptions extends Pick<SendQueueOptions, "highWaterMark" | "maxQueuedBytes"> {
  /** Whether large batches are deflated. */
  readonly compression: boolean;
  readonly writers?: WriterPool | undefined;
}

/** Way out of the send queue of a connection. It is one object, not a closure for each thing to do, because there is one for each connection. */
export class Outlet implements SendQueueOptions {
  readonly highWaterMark: number;
  readonly maxQueuedBytes: number;
  readonly writers: WriterPool | undefined;
  readonly waits: Histogram | undefined;
  readonly pack: SendQueueOptions["pack"];
  readonly nextTurn: SendQueueOptions["nextTurn"];
  readonly #owner: OutletOwner;
  readonly #stream: ByteStream;
  readonly #runtime: Runtime;

  /** @param waits Told how long each batch waited until it was written. */
  constructor(owner: OutletOwner, stream: ByteStream, runtime: Runtime, options: OutletOptions, waits?: Histogram) {
    this.highWaterMark = options.highWaterMark;
    this.maxQueuedBytes = options.maxQueuedBytes;
    this.writers = options.writers;
    this.waits = waits;
    this.pack = options.compression ? (batch) => compressBatch(runtime, batch, owner.maxFrameBytes) : undefined;
    this.nextTurn = runtime.nextTurn;
    this.#owner = owner;
    this.#stream = stream;
    this.#runtime = runtime;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#stream.write(bytes);
  }

  defer(callback: () => void): void {
    this.#runtime.defer(callback);
  }

  giveWay(): Promise<void> | undefined {
    return this.#runtime.giveWay?.();
  }

  failed(error: unknown): void {
    this.#owner.close(error);
  }

  now(): number {
    return this.#runtime.clock.now();
  }
}
