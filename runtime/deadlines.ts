// Copyright 2026 the Partisan peer-service authors. MIT license.

import { IN_TIME, type Slowness } from "./local_health.ts";
import type { Clock, Timer } from "./runtime.ts";

/** Ends an attempt, because of `reason`. */
export type GiveUp = (reason: unknown) => void;

/** The time is looked at so often while an attempt lasts: what is missed in one part is not counted, and that is known only where it ends. */
const PARTS = 10;
/** Milliseconds that make no difference. */
const PRECISION_MS = 0.001;

/** An attempt. Disposing of it ends it: its time is not looked at any more. */
class Attempt implements Disposable {
  /** In milliseconds of the time that is counted. */
  readonly until: number;
  readonly giveUp: GiveUp;
  readonly #ended: (attempt: Attempt) => void;

  constructor(until: number, giveUp: GiveUp, ended: (attempt: Attempt) => void) {
    this.until = until;
    this.giveUp = giveUp;
    this.#ended = ended;
  }

  [Symbol.dispose](): void {
    this.#ended(this);
  }
}

/**
 * Gives many attempts the same time, with one timer for all of them.
 *
 * Time is counted while this process runs: what a timer is late by passed without it, and the answers that came meanwhile are read only now.
 * With many processes on few processors, attempts would otherwise be given up that succeed a moment later, and begun again, which makes it worse. On a
 * node that is late again and again it passes more slowly, because sockets are then read later than timers come.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #duration: number;
  readonly #expired: () => unknown;
  readonly #health: Slowness;
  /** In the order in which their time is up, because all have the same. */
  readonly #attempts = new Set<Attempt>();
  #timer: Timer | null = null;
  /** Milliseconds counted so far, and when that was. */
  #counted = 0;
  #countedAt = 0;
  /** Milliseconds after which the timer is to come. */
  #part = 0;

  /**
   * @param duration In milliseconds.
   * @param expired Called for each attempt whose time is up. Returns the reason for giving it up.
   * @param health Local health of this node; in time by default.
   */
  constructor(clock: Clock, duration: number, expired: () => unknown, health: Slowness = IN_TIME) {
    this.#clock = clock;
    this.#duration = duration;
    this.#expired = expired;
    this.#health = health;
  }

  /** Has `giveUp` called once the time is up, unless what is returned is disposed of before. */
  begin(giveUp: GiveUp): Disposable {
    const now = this.#clock.now();
    if (this.#timer === null) {
      this.#countedAt = now;
      this.#schedule(this.#duration);
    }
    const until = this.#counted + Math.min(now - this.#countedAt, this.#part) + this.#duration;
    const attempt = new Attempt(until, giveUp, this.#end);
    this.#attempts.add(attempt);
    return attempt;
  }

  /** Gives up every attempt. */
  giveUpAll(reason: unknown): void {
    for (const attempt of [...this.#attempts]) {
      this.#end(attempt);
      attempt.giveUp(reason);
    }
  }

  #look(): void {
    this.#timer = null;
    this.#counted += this.#part / this.#health.multiplier;
    this.#countedAt = this.#clock.now();
    for (const attempt of this.#attempts) {
      const left = attempt.until - this.#counted;
      if (left > PRECISION_MS) {
        // A handshake that was given up may have begun anew.
        if (this.#timer === null) this.#schedule(left);
        return;
      }
      this.#attempts.delete(attempt);
      attempt.giveUp(this.#expired());
    }
  }

  #schedule(left: number): void {
    this.#part = Math.min(left * this.#health.multiplier, this.#duration / PARTS);
    this.#timer = this.#clock.schedule(this.#part, () => this.#look());
  }

  readonly #end = (attempt: Attempt): void => {
    this.#attempts.delete(attempt);
    if (this.#attempts.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  };
}
