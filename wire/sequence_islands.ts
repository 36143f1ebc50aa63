// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SequenceWindow } from "./sequence_window.ts";

/** Numbers that lie close to each other. */
interface Island {
  /** No number up to this one belongs to it. */
  readonly base: number;
  /** Its numbers, counted from its base. */
  readonly window: SequenceWindow;
  /** Its highest number. */
  top: number;
  /** Time of its last addition, on the clock of additions. */
  usedAt: number;
}

/**
 * A set of sequence numbers that no node vouches for. A number far from all others begins an island of its own and says nothing
 * of the numbers between: one that was made up costs one number, and those that are really used next are new all the same.
 *
 * Of too many islands the one that was added to least recently is forgotten.
 */
export class SequenceIslands {
  readonly #limit: number;
  readonly #islandsMax: number;
  /** By their bases, ascending. */
  readonly #islands: Island[] = [];
  #clock = 0;

  /**
   * @param limit Maximum distance between the numbers of an island: a power of two, at least 64.
   * @param islandsMax Maximum of remembered islands.
   */
  constructor(limit: number, islandsMax: number) {
    this.#limit = limit;
    this.#islandsMax = islandsMax;
  }

  /** Number of islands. */
  get size(): number {
    return this.#islands.length;
  }

  /** Whether `sequence` is in the set. */
  has(sequence: number): boolean {
    const island = this.#islandBelow(sequence);
    return island !== undefined && island.window.has(sequence - island.base);
  }

  /**
   * Adds `sequence`.
   *
   * @returns Whether it is new.
   */
  add(sequence: number): boolean {
    const below = this.#islandBelow(sequence);
    const isNear = below !== undefined && sequence - below.base - below.window.floor <= this.#limit;
    const island = isNear ? below : this.#begin(Math.max(0, sequence - this.#limit, below?.top ?? 0));
    island.usedAt = ++this.#clock;
    island.top = Math.max(island.top, sequence);
    const isNew = island.window.add(sequence - island.base);
    if (this.#islands.length > this.#islandsMax) this.#forgetOne();
    return isNew;
  }

  #islandBelow(sequence: number): Island | undefined {
    return this.#islands.findLast(({ base }) => base < sequence);
  }

  #begin(base: number): Island {
    const island = { base, window: new SequenceWindow(this.#limit), top: base, usedAt: 0 };
    const place = this.#islands.findLastIndex((other) => other.base < base) + 1;
    this.#islands.splice(place, 0, island);
    return island;
  }

  #forgetOne(): void {
    let oldest = 0;
    for (let index = 1; index < this.#islands.length; index++) {
      if (this.#islands[index]!.usedAt < this.#islands[oldest]!.usedAt) oldest = index;
    }
    this.#islands.splice(oldest, 1);
  }
}
