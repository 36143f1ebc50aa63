// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Properties of a long way. */
export interface LongWay {
  /** Milliseconds there and back. */
  readonly roundTrip: number;
  /** Bytes per second in each direction, all connections together. */
  readonly rate: number;
  /** Bytes of one connection, in one direction, that may be under way and not confirmed: what the window of TCP does. */
  readonly window: number;
}

/**
 * One direction of a cable: bytes are put onto it one after the other at its rate, and come out after its delay. All times are milliseconds on
 * one clock.
 */
export class Cable {
  /** Milliseconds from one end to the other. */
  readonly delay: number;
  readonly #bytesPerMs: number;
  #freeAt = -Infinity;

  constructor({ delay, rate }: { readonly delay: number; readonly rate: number }) {
    this.delay = delay;
    this.#bytesPerMs = rate / 1000;
  }

  /** Puts bytes onto the cable at `now`, or when it is free. @returns Time at which all of them have come out. */
  send(bytes: number, now: number): number {
    this.#freeAt = Math.max(this.#freeAt, now) + bytes / this.#bytesPerMs;
    return this.#freeAt + this.delay;
  }
}

/** The window of one connection in one direction. */
export class Window {
  readonly #size: number;
  readonly #unconfirmed: { readonly bytes: number; readonly confirmedAt: number }[] = [];
  #open: number;

  constructor(size: number) {
    this.#size = size;
    this.#open = size;
  }

  /** Number of bytes that may be sent at `now`. */
  room(now: number): number {
    while (this.#unconfirmed.length > 0 && this.#unconfirmed[0]!.confirmedAt <= now) {
      this.#open += this.#unconfirmed.shift()!.bytes;
    }
    return this.#open;
  }

  /** Time at which there is more room than now. */
  get nextAt(): number {
    return this.#unconfirmed[0]?.confirmedAt ?? Infinity;
  }

  /** Takes note that bytes were sent, and when the news that they have come will be back. */
  sent(bytes: number, confirmedAt: number): void {
    if (bytes > this.#size) throw new RangeError(`Cannot send ${bytes} bytes at once: the window has ${this.#size}`);
    this.#open -= bytes;
    this.#unconfirmed.push({ bytes, confirmedAt });
  }
}
