// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { RoomPool } from "./room_pool.ts";
import type { StreamSink } from "./stream_sink.ts";

/** Smaller pieces are put together in buffers of this size: one that refers to where it was read would keep far more than itself. */
const GATHER_BYTES = 16 * 1024;

/** Bytes of a stream that came in and were not read yet. It holds little more memory than its bytes, however they were cut. */
export class ReceiveBuffer {
  readonly #rooms: RoomPool;
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  /** The last chunk, as far as there is room behind it. */
  #gathering: Uint8Array<ArrayBuffer> | null = null;
  #bytes = 0;

  /** @param rooms The source of room for large pieces. */
  constructor(rooms: RoomPool) {
    this.#rooms = rooms;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes what came in: a copy of what is left of it by readers that wait.
   *
   * @returns Number of bytes that were read at once.
   */
  put(bytes: Uint8Array, readers: Pick<StreamSink, "offered"> | null): number {
    let rest = bytes;
    while (rest.length > 0 && this.#bytes === 0 && readers !== null) {
      const read = readers.offered(rest);
      if (read === 0) break;
      rest = rest.subarray(read);
    }
    if (rest.length > 0) this.#keep(rest);
    return bytes.length - rest.length;
  }

  /** Takes the oldest chunk out, with memory of its own. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    // Nothing is written behind what was handed over.
    if (this.#chunks.length === 0) this.#gathering = null;
    this.#bytes -= chunk.length;
    return chunk;
  }

  /** Copies the oldest bytes into `view`, as many as it takes. @returns Number of these bytes. */
  takeInto(view: Uint8Array): number {
    let at = 0;
    while (at < view.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(0, view.length - at);
      view.set(part, at);
      at += part.length;
      if (part.length < chunk.length) {
        this.#chunks[0] = chunk.subarray(part.length);
        // What is put behind it would be put in front of its end.
        if (this.#chunks.length === 1) this.#gathering = null;
      } else {
        this.#chunks.shift();
        this.#rooms.give(chunk);
      }
    }
    if (this.#chunks.length === 0) this.#gathering = null;
    this.#bytes -= at;
    return at;
  }

  /** Drops everything. @returns Number of these bytes. */
  clear(): number {
    const bytes = this.#bytes;
    this.#chunks.length = this.#bytes = 0;
    this.#gathering = null;
    return bytes;
  }

  #keep(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (bytes.length < GATHER_BYTES) return this.#gather(bytes);
    this.#gathering = null;
    this.#chunks.push(this.#rooms.copy(bytes));
  }

  #gather(bytes: Uint8Array): void {
    const last = this.#chunks.at(-1);
    if (this.#gathering === null || last === undefined || last.length + bytes.length > this.#gathering.length) {
      // What comes alone takes no more room than it needs.
      const isAlone = this.#chunks.length === 0;
      this.#gathering = new Uint8Array(isAlone ? bytes.length : GATHER_BYTES);
      this.#gathering.set(bytes);
      this.#chunks.push(this.#gathering.subarray(0, bytes.length));
      return;
    }
    this.#gathering.set(bytes, last.length);
    this.#chunks[this.#chunks.length - 1] = this.#gathering.subarray(0, last.length + bytes.length);
  }
}
