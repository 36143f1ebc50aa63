// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Smaller pieces are put together in buffers of this size: one that refers to where it was read would keep far more than itself. */
const GATHER_BYTES = 16 * 1024;
/**
 * Share of its buffer, as a divisor, from which on a chunk stays in the buffer that it was read into. A smaller one is copied.
 */
const KEPT_SHARE = 4;

/** Bytes of a stream that came in and were not read yet. It holds little more memory than its bytes, however they were cut. */
export class ReceiveBuffer {
  readonly #chunks: Uint8Array[] = [];
  /** The last chunk, as far as there is room behind it. */
  #gathering: Uint8Array<ArrayBuffer> | null = null;
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes what came in.
   *
   * @param owner The reader that would read over the bytes; it is asked to retain them where they are not copied. Without one they are copied.
   */
  put(bytes: Uint8Array, owner: { retain(): void } | undefined): void {
    if (bytes.length === 0) return;
    this.#bytes += bytes.length;
    if (bytes.length < GATHER_BYTES) return this.#gather(bytes);
    this.#gathering = null;
    const isKept = owner !== undefined && bytes.length * KEPT_SHARE >= bytes.buffer.byteLength;
    if (isKept) owner.retain();
    this.#chunks.push(isKept ? bytes : bytes.slice());
  }

  /** Takes the oldest chunk out. */
  take(): Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    // Nothing is written behind what was handed over.
    if (this.#chunks.length === 0) this.#gathering = null;
    this.#bytes -= chunk.length;
    return chunk;
  }

  /** Drops everything. @returns Number of these bytes. */
  clear(): number {
    const bytes = this.#bytes;
    this.#chunks.length = this.#bytes = 0;
    this.#gathering = null;
    return bytes;
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
