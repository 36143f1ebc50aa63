// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock } from "../runtime/runtime.ts";

/** Incarnations are instants, and no two clocks are farther apart than this, in milliseconds. */
const AHEAD_MS = 86_400_000;
/** So many words of newer incarnations are believed in so many milliseconds. One is the rule: after a restart without a store, or with a clock set back. */
const BELIEVED_MAX = 3;
const BELIEVED_WITHIN_MS = 600_000;

/** Whether an incarnation can be meant seriously, given the time. */
export function isPlausible(incarnation: number, wallTime: number): boolean {
  return incarnation <= wallTime + AHEAD_MS;
}

/**
 * News of newer incarnations of this node's name, from other nodes: a node that believes it begins a new incarnation, so it
 * believes little.
 */
export class IncarnationNews {
  readonly #clock: Clock;
  readonly #incarnation: () => number;
  readonly #outlived: (known: number) => void;
  #believed: number[] = [];

  /**
   * @param incarnation The incarnation of this node, as it is now.
   * @param outlived Told what is believed.
   */
  constructor(clock: Clock, incarnation: () => number, outlived: (known: number) => void) {
    this.#clock = clock;
    this.#incarnation = incarnation;
    this.#outlived = outlived;
  }

  /**
   * Some node says that it knows this incarnation of this node's name. The present one is no news: a dial that was begun in the incarnation before is
   * refused with it, however late.
   */
  take(known: number): void {
    if (known > this.#incarnation() && this.#believes(known)) this.#outlived(known);
  }

  #believes(known: number): boolean {
    const now = this.#clock.now();
    this.#believed = this.#believed.filter((at) => now - at < BELIEVED_WITHIN_MS);
    if (this.#believed.length >= BELIEVED_MAX || !isPlausible(known, this.#clock.wallTime())) return false;
    this.#believed.push(now);
    return true;
  }
}
