// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "../runtime/runtime.ts";

/** Messages that may be delayed at a time. */
const DELAYED_MAX = 16_384;

/** Milliseconds for which a delayed message rests at least: what is in the queue now comes first. */
const DELAY_MS = 1;

/** Messages that an interposition function put back to the end of the queue. */
export class DelayQueue {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Runs `again` later, after everything that was put back before.
   *
   * @returns `false` when too many wait already.
   */
  add(again: () => void): boolean {
    if (this.#isStopped) return true;
    if (this.#waiting.length >= DELAYED_MAX) return false;
    this.#waiting.push(again);
    this.#timer ??= this.#clock.schedule(DELAY_MS, () => this.#run());
    return true;
  }

  /** Drops everything, and all that is put back later: a node that stops still reads while it tells others what it has read. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#waiting = [];
  }

  #run(): void {
    this.#timer = null;
    const due = this.#waiting;
    this.#waiting = [];
    for (const again of due) again();
  }
}
