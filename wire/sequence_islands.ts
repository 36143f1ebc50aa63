// Copyright 2026 the Partisan peer-service authors. MIT license.

import { leastVouched, type Told, vouch } from "../runtime/least_vouched.ts";
import { SequenceWindow } from "./sequence_window.ts";

/** Numbers that lie close to each other. */
interface Island extends Told {
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
 * Of too many islands one is forgotten: of those that the node alone told of that told of most, the one that was added to least recently.
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
   * @param teller Name of the node that tells of it; by default one that is told from no other.
   * @returns Whether it is new.
   */
  add(sequence: number, teller?: string): boolean {
    const below = this.#islandBelow(sequence);
    const isNear = below !== undefined && sequence - below.base - below.window.floor <= this.#limit;
    const island = isNear ? below : this.#begin(Math.max(0, sequence - this.#limit, below?.top ?? 0), teller);
    vouch(island, teller);
    island.usedAt = ++this.#clock;
    island.top = Math.max(island.top, sequence);
    const isNew = island.window.add(sequence - island.base);
    if (this.#islands.length > this.#islandsMax) this.#forgetOne();
    return isNew;
  }

  /** Forgets the islands of which all numbers are below `floor`. */
  forgetBelow(floor: number): void {
    const kept = this.#islands.findIndex(({ top }) => top >= floor);
    this.#islands.splice(0, kept < 0 ? this.#islands.length : kept);
  }

  #islandBelow(sequence: number): Island | undefined {
    return this.#islands.findLast(({ base }) => base < sequence);
  }

  #begin(base: number, teller: string | undefined): Island {
    const island = { teller, base, window: new SequenceWindow(this.#limit), top: base, usedAt: 0 };
    const place = this.#islands.findLastIndex((other) => other.base < base) + 1;
    this.#islands.splice(place, 0, island);
    return island;
  }

  #forgetOne(): void {
    const victim = leastVouched(this.#islands.toSorted((one, other) => one.usedAt - other.usedAt));
    this.#islands.splice(this.#islands.findIndex((island) => island === victim), 1);
  }
}
