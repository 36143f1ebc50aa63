// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A stream begins with a window of so many bytes, as far as the peer's share has room for it. */
export const WINDOW_START_BYTES = 256 * 1024;
/** No window is smaller, however many streams there are. */
export const WINDOW_MIN_BYTES = 64 * 1024;
/** No window is larger, however fast the network. */
export const WINDOW_MAX_BYTES = 16 * 1024 * 1024;
/** Credit is given once this part of the window is read. */
const GRANT_SHARE = 1 / 2;
/** The round trip that is supposed before one was measured, in milliseconds. */
const ROUND_TRIP_MS = 1;

/**
 * How far the writer of a stream may go: as far as was read here, and a window beyond. A window of bandwidth × delay keeps the network busy.
 * Where half a window is read within a round trip, the window is what holds the stream up, and doubles. The reader that stops ends the
 * credit; a slow one keeps the window that it has.
 */
export class ReceiveWindow {
  #bytes: number;
  #limit: number;
  #received = 0;
  #read = 0;
  #grantedAt: number;

  /**
   * @param bytes Size of the window at first.
   * @param now Milliseconds on the local clock.
   */
  constructor(bytes: number, now: number) {
    this.#bytes = this.#limit = bytes;
    this.#grantedAt = now;
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

  /** Takes what has come. */
  receive(bytes: number): void {
    if (!this.allows(bytes)) throw new RangeError("Cannot receive: it is more than was granted");
    this.#received += bytes;
  }

  /**
   * Takes note of what was read.
   *
   * @param now Milliseconds on the local clock.
   * @param roundTrip Milliseconds to the writer and back, if that is known.
   * @param growthMax Bytes by which the window may grow.
   * @returns Whether it is time to tell the writer of the new limit.
   */
  read(bytes: number, now: number, roundTrip: number | undefined, growthMax: number): boolean {
    this.#read += bytes;
    if (this.#read + this.#bytes - this.#limit < this.#bytes * GRANT_SHARE) return false;
    if (now - this.#grantedAt < (roundTrip ?? ROUND_TRIP_MS)) {
      this.#bytes += Math.max(0, Math.min(this.#bytes, WINDOW_MAX_BYTES - this.#bytes, growthMax));
    }
    this.#grantedAt = now;
    this.#limit = this.#read + this.#bytes;
    return true;
  }
}
