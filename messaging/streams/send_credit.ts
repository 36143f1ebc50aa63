// Copyright 2026 the Partisan peer-service authors. MIT license.

/** No chunk is larger, so that what shares the connection is not held up by one, and one read brings it: larger ones cost the receiver twice as much. */
export const CHUNK_MAX_BYTES = 64 * 1024;
/** Nor cut smaller than that, unless there is no more credit. */
export const CHUNK_MIN_BYTES = 16 * 1024;
/** A chunk takes this part of the receiver's window. */
const CHUNK_SHARE = 1 / 4;

/** Positions of a stream that the writer has reached, and may reach. */
export class SendCredit {
  #sent = 0;
  #limit = 0;
  #chunk = CHUNK_MIN_BYTES;
  #isHeld = false;

  /** Bytes that were sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Bytes that may be sent. */
  get available(): number {
    return this.#limit - this.#sent;
  }

  /** The receiver has room up to a position. A lower one than before says nothing new. */
  grant(limit: number): void {
    if (limit <= this.#limit) return;
    this.#limit = limit;
    const share = Math.min(this.available * CHUNK_SHARE, CHUNK_MAX_BYTES);
    if (share > this.#chunk) this.#chunk = share;
  }

  /** Number of the `waiting` bytes that the next chunk takes. */
  chunkOf(waiting: number): number {
    return Math.floor(Math.min(waiting, this.available, this.#chunk));
  }

  /** There is more to send: notes whether it has to wait for credit. */
  want(): void {
    if (this.available === 0) this.#isHeld = true;
  }

  /** Takes note of a chunk. @returns Whether it had to wait for credit. */
  send(bytes: number): boolean {
    if (bytes > this.available) throw new RangeError("Cannot send: there is no credit for it");
    const wasHeld = this.#isHeld;
    this.#sent += bytes;
    this.#isHeld = false;
    return wasHeld;
  }
}
