// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Histogram } from "./histogram.ts";

/** The worst delay is remembered for this long at least, and for twice as long at most. */
const WINDOW_MS = 5_000;

/** Milliseconds by which a timer may be late, in ranges. */
const BOUNDS_MS: readonly number[] = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/** Delay of a timer that should fire at regular intervals: the time for which the event loop was held by something else. */
export class TimerDelay {
  /** All delays so far, in milliseconds. */
  readonly histogram: Histogram = new Histogram(BOUNDS_MS);
  #dueAt = Infinity;
  #begunAt = 0;
  #present = 0;
  #former = 0;

  /** The timer is to come at `at`, in milliseconds on the local clock; `Infinity` when it is not to come any more. */
  due(at: number): void {
    this.#dueAt = at;
  }

  /** The timer has come. */
  came(now: number): void {
    const delay = Math.max(0, now - this.#dueAt);
    this.#dueAt = Infinity;
    this.histogram.record(delay);
    this.#turn(now);
    this.#present = Math.max(this.#present, delay);
  }

  /** Delay of the timer now, in milliseconds. */
  overdue(now: number): number {
    return Math.max(0, now - this.#dueAt);
  }

  /** The longest delay of the last seconds, what is overdue now included. */
  worst(now: number): number {
    this.#turn(now);
    return Math.max(this.#present, this.#former, this.overdue(now));
  }

  #turn(now: number): void {
    const windows = Math.floor((now - this.#begunAt) / WINDOW_MS);
    if (windows < 1) return;
    this.#former = windows === 1 ? this.#present : 0;
    this.#present = 0;
    this.#begunAt += windows * WINDOW_MS;
  }
}
