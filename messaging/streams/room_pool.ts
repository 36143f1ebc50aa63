// Copyright 2026 the Partisan peer-service authors. MIT license.

import { copyToLargeBuffer } from "../../runtime/large_buffer.ts";

/** So much is kept: what a few windows hold. */
const SPARE_BYTES_MAX = 1024 * 1024;
/** Smaller rooms are not worth keeping, and larger ones have no use. */
const ROOM_MIN_BYTES = 32 * 1024;
const ROOM_MAX_BYTES = 64 * 1024;

/**
 * Room for what came in and waits to be read, shared by the streams of a node. A reader that brings memory of its own gives the room
 * back, so that a stream of any length takes no fresh memory: that costs as much as everything else, and pauses to collect it.
 */
export class RoomPool {
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A copy of `bytes`, in room that was used before where there is some. */
  copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const index = this.#spare.findLastIndex(({ length }) => length >= bytes.length);
    if (index < 0) return copyToLargeBuffer(bytes);
    const [room] = this.#spare.splice(index, 1);
    this.#bytes -= room!.length;
    room!.set(bytes);
    return room!.subarray(0, bytes.length);
  }

  /** Takes back the room of a copy, to which no reference may be left. */
  give({ buffer }: Uint8Array<ArrayBuffer>): void {
    const size = buffer.byteLength;
    if (size < ROOM_MIN_BYTES || size > ROOM_MAX_BYTES || this.#bytes + size > SPARE_BYTES_MAX) return;
    this.#bytes += size;
    this.#spare.push(new Uint8Array(buffer));
  }
}
