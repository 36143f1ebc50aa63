// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "../../runtime/runtime.ts";

/** Number of dials that a {@linkcode DialBudget} lets fail. */
export interface DialBudgetOptions {
  /** So many at once. */
  readonly burst: number;
  /** So many a second in the long run. */
  readonly perSecond: number;
}

/**
 * Bounds how many dials fail: one that succeeds costs nothing, one that fails has used up a part of the budget, which comes back with time.
 * A node that tells of members that do not exist has another one make so many dials at addresses of its choice, and no more.
 */
export class DialBudget {
  readonly #clock: Clock;
  readonly #options: DialBudgetOptions;
  #left: number;
  #countedAt: number;
  #waiting: (() => void)[] = [];
  #timer: Timer | null = null;

  constructor(clock: Clock, options: DialBudgetOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#left = options.burst;
    this.#countedAt = clock.now();
  }

  /** Takes the part of one dial, which ends with {@linkcode DialBudget.end}. @returns Promise to wait for, where nothing is left now. */
  take(): Promise<void> | undefined {
    this.#refill();
    if (this.#left < 1 || this.#waiting.length > 0) return this.#turn();
    this.#left--;
    return undefined;
  }

  /** A dial has ended: one that has not failed gives its part back. */
  end(hasFailed: boolean): void {
    if (!hasFailed) this.#left++;
    this.#admit();
  }

  /** Forgets the dials that wait. */
  forget(): void {
    this.#waiting = [];
    this.#timer?.cancel();
    this.#timer = null;
  }

  #turn(): Promise<void> {
    const turn = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#admit();
    return turn;
  }

  #refill(): void {
    const { burst, perSecond } = this.#options;
    const now = this.#clock.now();
    this.#left = Math.min(burst, this.#left + (now - this.#countedAt) / 1_000 * perSecond);
    this.#countedAt = now;
  }

  /** Lets those that wait go, as far as the budget allows it, and takes their part. */
  #admit(): void {
    this.#refill();
    while (this.#left >= 1 - 1e-9) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#left--;
      next();
    }
    if (this.#waiting.length === 0) {
      this.#timer?.cancel();
      this.#timer = null;
      return;
    }
    // What is missing is a part of one dial, which only time brings back: a timer that is set comes in time.
    this.#timer ??= this.#clock.schedule((1 - this.#left) / this.#options.perSecond * 1_000, () => {
      this.#timer = null;
      this.#admit();
    });
  }
}
