// Copyright 2026 the Partisan peer-service authors. MIT license.

const CHUNK_BYTES = 64 * 1024;
/** From here on, a buffer of its own costs little compared with the copy. */
const OWN_BUFFER_BYTES = 4 * 1024;

/** Copies small pieces of bytes into shared chunks, because a buffer of its own costs a microsecond whatever its size. */
export class MemorySlab {
  #chunk = new Uint8Array(0);
  #used = 0;

  /** A copy that will not be changed. */
  copy(bytes: Uint8Array): Uint8Array {
    if (bytes.length >= OWN_BUFFER_BYTES) return bytes.slice();
    if (this.#used + bytes.length > this.#chunk.length) {
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#used = 0;
    }
    const copy = this.#chunk.subarray(this.#used, this.#used + bytes.length);
    this.#used += bytes.length;
    copy.set(bytes);
    return copy;
  }
}
