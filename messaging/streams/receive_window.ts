// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A stream begins with a window of so many bytes, as far as the peer's share has room for it. */
export const WINDOW_START_BYTES = 256 * 1024;
/** No window is smaller, however many streams there are. */
export const WINDOW_MIN_BYTES = 64 * 1024;
/** No window is larger, however fast the network. */
export const WINDOW_MAX_BYTES = 16 * 1024 * 1024;
/** Credit is given once this part of the window is read. */
const GRANT_SHARE = 1 / 2;
/**
 * The window has room for what comes in so many delays. When the network is full, half a window is under way when the other half is granted, and
 * is part of the delay: with less than 2, windows do not grow without end.
 */
const DELAYS = 1.25;
/** How much of what was measured before counts at the next measurement. */
const MEMORY_SHARE = 7 / 8;

/**
 * How far the writer of a stream may go: as far as was read here, and a window beyond. A window of bandwidth × delay keeps the network busy, and all
 * beyond that only waits in it, in front of everything else. Both are measured while the writer is held for want of credit, for only then it is
 * the window that counts: the delay is the least time between a grant and the first bytes that it let go, the bandwidth what came in lately. A
 * reader that stops ends the credit; one that is slow makes for a small window.
 */
export class ReceiveWindow {
  #bytes: number;
  #limit: number;
  #received = 0;
  #read = 0;
  /** The grant that is being measured: where it began to count, and when. */
  #grant: { readonly position: number; readonly at: number } | null = null;
  #delay = 0;
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

  /** How far the writer may go. */
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
    if (this.#lately.ms > 0) {
      const wanted = Math.floor(DELAYS * this.#delay * this.#lately.bytes / this.#lately.ms);
      const most = this.#bytes + Math.max(0, Math.min(this.#bytes, WINDOW_MAX_BYTES - this.#bytes, growthMax));
      this.#bytes = Math.max(Math.min(wanted, most), Math.min(this.#bytes, WINDOW_START_BYTES));
    }
    // What was granted is not taken back.
    const limit = this.#read + this.#bytes;
    if (limit <= this.#limit) return false;
    this.#limit = limit;
    return true;
  }

  #measure(now: number, delay: number): void {
    this.#delay += (delay - this.#delay) * (this.#delay === 0 ? 1 : 1 - MEMORY_SHARE);
    if (this.#measured !== null) {
      this.#lately.bytes = this.#lately.bytes * MEMORY_SHARE + this.#received - this.#measured.received;
      this.#lately.ms = this.#lately.ms * MEMORY_SHARE + now - this.#measured.at;
    }
    this.#measured = { received: this.#received, at: now };
  }
}
