// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { StreamEnd } from "./stream_end.ts";

/** Bytes that the streams with one node may have for their windows before these stop growing. */
export const SHARE_BYTES = 64 * 1024 * 1024;

/** Share of the streams with one node: their number, and the buffer that the other side may fill. */
export class StreamShare {
  /** Streams that the other side may have open here. */
  readonly streamsMax: number;
  readonly #ends = new Set<StreamEnd>();
  #windowBytes = 0;
  #opened = 0;

  constructor(streamsMax: number) {
    this.streamsMax = streamsMax;
  }

  /** Ends that are open, or hold something that was not read. */
  get ends(): ReadonlySet<StreamEnd> {
    return this.#ends;
  }

  /** Whether the other side has as many streams open as it may. */
  get isFull(): boolean {
    return this.#opened >= this.streamsMax;
  }

  /** Bytes by which windows may grow. */
  get room(): number {
    return Math.max(0, SHARE_BYTES - this.#windowBytes);
  }

  /** A stream begins. */
  add(end: StreamEnd): void {
    this.#ends.add(end);
    this.#windowBytes += end.windowBytes;
    if (!end.isOpener) this.#opened++;
  }

  /** A window has grown. */
  grow(bytes: number): void {
    this.#windowBytes += bytes;
  }

  /** A stream is over, and nothing is held of it. */
  remove(end: StreamEnd): void {
    if (!this.#ends.delete(end)) return;
    this.#windowBytes -= end.windowBytes;
    if (!end.isOpener) this.#opened--;
  }
}
