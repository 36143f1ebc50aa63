// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../wire/integers.ts";

/** Stamps in one millisecond. A power of two; with it, stamps are safe integers until the year 2248. */
const STAMPS_PER_MS = 1_024;
/** Maximum by which another node's clock may be ahead of this one's, in milliseconds, to be followed. */
export const AHEAD_MAX_MS = 60_000;

/**
 * A hybrid logical clock (Kulkarni, Demirbas, Madappa, Avva and Leone: Logical Physical Clocks, 2014): stamps that are near the wall clock, and
 * above every stamp that was heard of before. Milliseconds and a counter are one integer, so that a counter which overflows carries into the
 * milliseconds.
 *
 * Stamps that are too far ahead are not followed: one node with a wrong clock does not take all others with it.
 */
export class HybridClock {
  readonly #wallTime: () => number;
  #last = 0;

  /** @param wallTime Milliseconds since the epoch. */
  constructor(wallTime: () => number) {
    this.#wallTime = wallTime;
  }

  /** A stamp above all that this clock gave or followed. */
  next(): number {
    this.#last = Math.max(this.#last + 1, toStamp(this.#wallTime()));
    return this.#last;
  }

  /**
   * Follows a stamp of another node, up to {@linkcode AHEAD_MAX_MS} ahead of the wall clock.
   *
   * @returns Whether it was not further ahead.
   */
  follow(stamp: number): boolean {
    const highest = toStamp(this.#wallTime() + AHEAD_MAX_MS);
    this.#last = Math.max(this.#last, Math.min(stamp, highest));
    return stamp <= highest;
  }
}

/** The time of a stamp, in milliseconds since the epoch. */
export function timeOf(stamp: number): number {
  return Math.floor(stamp / STAMPS_PER_MS);
}

/** Whether a value of another node can be a stamp. */
export function isStamp(value: unknown): value is number {
  return isIntegerIn(value, 1);
}

function toStamp(time: number): number {
  return Math.max(0, Math.floor(time)) * STAMPS_PER_MS;
}
