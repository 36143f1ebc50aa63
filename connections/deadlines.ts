// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "../runtime/runtime.ts";

/** Ends an attempt, because of `reason`. */
export type GiveUp = (reason: unknown) => void;

interface Attempt {
  readonly until: number;
  readonly giveUp: GiveUp;
}

/** Gives many attempts the same time, with one timer for all of them. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #duration: number;
  readonly #expired: () => unknown;
  /** In the order in which their time is up, because all have the same. */
  readonly #attempts = new Set<Attempt>();
  #timer: Timer | null = null;

  /**
   * @param duration In milliseconds.
   * @param expired Called for each attempt whose time is up. Returns the reason for giving it up.
   */
  constructor(clock: Clock, duration: number, expired: () => unknown) {
    this.#clock = clock;
    this.#duration = duration;
    this.#expired = expired;
  }

  /** Has `giveUp` called once the time is up, unless what is returned is disposed of before. */
  begin(giveUp: GiveUp): Disposable {
    const attempt: Attempt = { until: this.#clock.now() + this.#duration, giveUp };
    this.#attempts.add(attempt);
    this.#timer ??= this.#clock.schedule(this.#duration, () => this.#look());
    return { [Symbol.dispose]: () => this.#end(attempt) };
  }

  /** Gives up every attempt. */
  giveUpAll(reason: unknown): void {
    for (const attempt of [...this.#attempts]) {
      this.#end(attempt);
      attempt.giveUp(reason);
    }
  }

  #look(): void {
    const now = this.#clock.now();
    this.#timer = null;
    for (const attempt of this.#attempts) {
      if (attempt.until > now) {
        this.#timer ??= this.#clock.schedule(attempt.until - now, () => this.#look());
        return;
      }
      this.#attempts.delete(attempt);
      attempt.giveUp(this.#expired());
    }
  }

  #end(attempt: Attempt): void {
    this.#attempts.delete(attempt);
    if (this.#attempts.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }
}
