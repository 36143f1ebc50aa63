// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * A stream begins with a window of so many bytes, as far as the peer's share has room for it. Half of it are three chunks, as many as
 * one read brings. With less, both sides wait for each other on the fastest networks; with more, it is memory that they wait for.
 */
export const WINDOW_START_BYTES = 384 * 1024;
/** No window is smaller, however many streams there are. */
export const WINDOW_MIN_BYTES = 64 * 1024;
/** No window is larger, however fast the network. */
export const WINDOW_MAX_BYTES = 16 * 1024 * 1024;
/** Credit is given once this part of the window is read. */
const GRANT_SHARE = 1 / 2;
/** The window has room for what comes in so many delays: more than 2, since half of it may be all that is under way. */
const DELAYS = 3;
/** Share of earlier measurements in the next one. */
const MEMORY_SHARE = 3 / 4;

/**
 * Receive window: the position that the writer of a stream may reach, which is the position of the reader and a window beyond.
 * A window of bandwidth × delay keeps the network busy, and all that is much larger only waits in it, in front of everything
 * else. Both are measured while the writer is held for want of credit, for only then it is the window that counts: the delay is
 * the least time between a grant and the first bytes that it let go, so that nothing that waits in the network is part of it,
 * and the bandwidth is what came in lately. A reader that stops ends the credit, and a slow one makes for a small window.
 */
export class ReceiveWindow {
  #bytes: number;
  #limit: number;
  #received = 0;
  #read = 0;
  /** The grant that is being measured: up to where bytes may come that it did not let go, and when it was given. */
  #grant: { readonly position: number; readonly at: number } | null = null;
  #delay = Infinity;
  /** Bytes and milliseconds, those of long ago counting for less. */
  #lately = { bytes: 0, ms: 0 };
  #measured: { readonly received: number; readonly at: number } | null = null;

  /** @param bytes Size of the window at first. */
  constructor(bytes: number) {
    this.#bytes = this.#limit = bytes;
  }

  /** Its size. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that were received. */
  get received(): number {
    return this.#received;
  }

  /** Position that the writer may reach. */
  get limit(): number {
    return this.#limit;
  }

  /** Whether so many more bytes keep to what was granted. */
  allows(bytes: number): boolean {
    return this.#received + bytes <= this.#limit;
  }

  /**
   * Takes what has come.
   *
   * @param now Milliseconds on the local clock.
   * @param wasHeld Whether the writer had to wait for credit to send it.
   */
  receive(bytes: number, now: number, wasHeld: boolean): void {
    if (!this.allows(bytes)) throw new RangeError("Cannot receive: it is more than was granted");
    this.#received += bytes;
    if (this.#grant === null || this.#received <= this.#grant.position) return;
    if (wasHeld) this.#measure(now, now - this.#grant.at);
    else this.#measured = null;
    this.#grant = null;
  }

  /**
   * Takes note of what was read.
   *
   * @param now Milliseconds on the local clock.
   * @param growthMax Bytes by which the window may grow.
   * @returns Whether it is time to tell the writer of the new limit.
   */
  read(bytes: number, now: number, growthMax: number): boolean {
    this.#read += bytes;
    if (this.#read + this.#bytes - this.#limit < this.#bytes * GRANT_SHARE) return false;
    this.#grant ??= { position: this.#limit, at: now };
    this.#adjust(growthMax);
    // What was granted is not taken back.
    const limit = this.#read + this.#bytes;
    if (limit <= this.#limit) return false;
    this.#limit = limit;
    return true;
  }

  #measure(now: number, delay: number): void {
    this.#delay = Math.min(this.#delay, delay);
    if (this.#measured !== null) {
      this.#lately.bytes = this.#lately.bytes * MEMORY_SHARE + this.#received - this.#measured.received;
      this.#lately.ms = this.#lately.ms * MEMORY_SHARE + now - this.#measured.at;
    }
    this.#measured = { received: this.#received, at: now };
  }

  #adjust(growthMax: number): void {
    const { bytes, ms } = this.#lately;
    if (ms === 0) return;
    const wanted = Math.floor(DELAYS * this.#delay * bytes / ms);
    const most = this.#bytes + Math.max(0, Math.min(this.#bytes, WINDOW_MAX_BYTES - this.#bytes, growthMax));
    this.#bytes = Math.max(Math.min(wanted, most), Math.min(this.#bytes, WINDOW_START_BYTES));
  }
}
