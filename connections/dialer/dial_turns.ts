// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "../../runtime/runtime.ts";

/** A dialer that waits for its turn. */
export interface WaitingDialer {
  /** Time at which it is its turn, as far as that is known, in milliseconds on the local clock. */
  turnAt(): number;
  /** Time at which it is to be looked at again. */
  lookAt(now: number): number;
  /** It is its turn. */
  reconcile(): void;
}

/**
 * Dialers that wait, with one timer for all of them. While a cluster forms, a node waits for half of the others: a timer for each would come again and
 * again on a machine that is busy, and each that is late makes the others later.
 */
export class DialTurns {
  readonly #clock: Clock;
  readonly #waiting = new Set<WaitingDialer>();
  #timer: Timer | null = null;
  #comesAt = Infinity;

  /** Begins with none that waits. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has a dialer wait, unless it does so already. */
  wait(dialer: WaitingDialer, now: number): void {
    this.#waiting.add(dialer);
    this.#lookAt(dialer.lookAt(now), now);
  }

  /** A dialer waits no longer. */
  end(dialer: WaitingDialer): void {
    if (!this.#waiting.delete(dialer) || this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Has the timer come at a time, if it would come later. */
  #lookAt(time: number, now: number): void {
    if (this.#timer !== null && this.#comesAt <= time) return;
    this.#timer?.cancel();
    this.#comesAt = time;
    this.#timer = this.#clock.schedule(time - now, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    this.#timer = null;
    const due: WaitingDialer[] = [];
    let next = Infinity;
    for (const dialer of this.#waiting) {
      if (dialer.turnAt() <= now) due.push(dialer);
      else next = Math.min(next, dialer.lookAt(now));
    }
    for (const dialer of due) this.#waiting.delete(dialer);
    if (next < Infinity) this.#lookAt(next, now);
    for (const dialer of due) dialer.reconcile();
  }
}
