// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Random } from "../runtime/runtime.ts";

/** Draws thrown away at the start, until every bit of the seed has reached every bit of the state. */
const WARM_UP = 16;

/**
 * Randomness that a seed decides: the same seed gives the same numbers, on every machine.
 *
 * It is sfc32 ("small fast counting", Chris Doty-Humphrey, PractRand): 128 bits of state, no known statistical
 * weakness, a few nanoseconds a draw. Not fit for secrets.
 *
 * @example Two parts of a test that do not disturb each other
 * ```ts
 * import { SeededRandom } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const random = new SeededRandom(7);
 * random.next();
 * assertEquals(random.fork("faults").next(), new SeededRandom(7).fork("faults").next());
 * ```
 *
 * @example Everything that can be drawn
 * ```ts
 * import { SeededRandom } from "@partisan/peer-service/testing";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const random = new SeededRandom("any text");
 * assert(random.uint32() < 2 ** 32);
 * assert(random.int(6) < 6);
 * assert(["heads", "tails"].includes(random.pick(["heads", "tails"])));
 * assertEquals(random.shuffle([3, 1, 2]).sort(), [1, 2, 3]);
 * assertEquals(random.bytes(16).length, 16);
 * ```
 */
export class SeededRandom implements Random {
  /** The seed, or, of a fork, the seed and the labels that led to it. */
  readonly seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Starts at the beginning of the sequence of `seed`. */
  constructor(seed: number | string) {
    this.seed = String(seed);
    this.#a = hash(this.seed, 0x9e3779b9);
    this.#b = hash(this.seed, 0x243f6a88);
    this.#c = hash(this.seed, 0xb7e15162);
    for (let i = 0; i < WARM_UP; i++) this.uint32();
  }

  /** A number in [0, 1). */
  next(): number {
    return this.uint32() / 2 ** 32;
  }

  /** An integer in [0, 2³²). */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** An integer in [0, `bound`). */
  int(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /**
   * One of `choices`.
   *
   * @throws {RangeError} When there is none.
   */
  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new RangeError("Cannot pick: there are no choices");
    return choices[this.int(choices.length)] as T;
  }

  /** A copy of `items` in random order. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
    }
    return shuffled;
  }

  /** `length` bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.uint32();
    return bytes;
  }

  /**
   * Another generator, decided by this one's seed and `label` alone: how much was drawn here, or from other forks,
   * makes no difference.
   */
  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.seed}/${label}`);
  }
}

/** Folds `text` into 32 bits, differently for each `salt`. */
function hash(text: string, salt: number): number {
  let h = salt;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x5bd1e995);
    h ^= h >>> 15;
  }
  h = Math.imul(h ^ (h >>> 16), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return h ^ (h >>> 15);
}
