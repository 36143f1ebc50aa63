// Copyright 2026 the Partisan peer-service authors. MIT license.

/** The worst score: limits are nine times as long then. */
const SCORE_MAX = 8;

/** Periodic work is done a fourth as often at the least: others wait for some of it. */
const STRETCH_MAX = 4;

/** Slowness of a node at present. */
export interface Slowness {
  /** So many times as long is waited for others. At least 1. */
  readonly multiplier: number;
}

/** A node of which nothing is known: its timers are in time. */
export const IN_TIME: Slowness = { multiplier: 1 };

/**
 * Local health of this node, which falls when its own timers are late: the "local health multiplier" of Lifeguard (Dadgar,
 * Phillips and Currey, 2017). A node that gets little of its machine's time finds its timers late, and leaves frames of others
 * unread: it must not suspect them for that. It waits longer, has less under way, and does its periodic work more rarely, until
 * its timers are in time again.
 */
export class LocalHealth implements Slowness {
  readonly #unit: number;
  #score = 0;

  /** @param unit Milliseconds of lateness that are borne. So many more of them make the score worse by one. */
  constructor(unit: number) {
    this.#unit = unit;
  }

  /** So many times as long is waited for others: 1 while this node is well, 9 at the most. */
  get multiplier(): number {
    return 1 + this.#score;
  }

  /** So many times as long are the intervals of what is done periodically: 1 while this node is well, 4 at the most. */
  get stretch(): number {
    return Math.min(STRETCH_MAX, this.multiplier);
  }

  /** A timer that comes at regular intervals came so many milliseconds late. */
  came(lateness: number): void {
    if (lateness < this.#unit) this.#score = Math.max(0, this.#score - 1);
    else this.late(lateness);
  }

  /** Any other timer came so many milliseconds late. One that comes in time tells nothing. */
  late(lateness: number): void {
    this.#score = Math.min(SCORE_MAX, this.#score + Math.floor(lateness / this.#unit));
  }
}
