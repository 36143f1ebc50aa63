// Copyright 2026 the Partisan peer-service authors. MIT license.

import { messageOf } from "../runtime/message_of.ts";

/** Chance that can be replayed. */
export interface SeededRandom {
  /** A number in [0, 1). */
  next(): number;
  /** An integer from 0 to `n` - 1. */
  int(n: number): number;
  /** One of `xs`, which is not empty. */
  pick<T>(xs: readonly T[]): T;
  /** Whether something that happens with this probability happens. */
  chance(probability: number): boolean;
  /** `xs` in another order. */
  shuffle<T>(xs: readonly T[]): T[];
}

/** A generator (SplitMix32) that gives the same numbers for the same seed on every machine. */
export function seededRandom(seed: number): SeededRandom {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  };
  const int = (n: number) => Math.floor(next() * n);
  return {
    next,
    int,
    // Elements may be null or undefined themselves, so these are not taken for missing ones.
    pick: <T>(xs: readonly T[]) => xs[int(xs.length)] as T,
    chance: (probability) => next() < probability,
    shuffle<T>(xs: readonly T[]) {
      const shuffled = [...xs];
      for (let index = shuffled.length - 1; index > 0; index--) {
        const other = int(index + 1);
        [shuffled[index], shuffled[other]] = [shuffled[other] as T, shuffled[index] as T];
      }
      return shuffled;
    },
  };
}

/**
 * Runs a property for many seeds; a failure says which one to run again alone.
 *
 * @param seeds The seeds, or how many of them, from 1.
 */
export function forEachSeed(
  seeds: number | Iterable<number>,
  property: (random: SeededRandom, seed: number) => void,
): void {
  for (const seed of typeof seeds === "number" ? Array.from({ length: seeds }, (_, index) => index + 1) : seeds) {
    try {
      property(seededRandom(seed), seed);
    } catch (cause) {
      throw new Error(`Seed ${seed} fails: ${messageOf(cause)}`, { cause });
    }
  }
}
