// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The name of one addition to an {@linkcode OrSet}: no two additions ever share a dot, because an actor counts
 * upwards within an incarnation and every incarnation of it has a higher incarnation than those before.
 */
export interface Dot {
  /** Actor that made the addition. */
  readonly actor: string;
  /** Incarnation of the actor at that time. A safe integer. */
  readonly incarnation: number;
  /** Number of the addition within that incarnation, from 1. A safe integer. */
  readonly counter: number;
}

/**
 * Orders dots: by incarnation, then counter, then actor. Of two dots of one actor the later one is the greater.
 *
 * @param a One dot.
 * @param b Another dot.
 * @returns A negative number when `a` comes first, a positive one when `b` does, 0 when they are the same dot.
 *
 * @example Which addition is the newer one
 * ```ts
 * import { compareDots } from "@partisan/peer-service/membership";
 * import { assert } from "@std/assert";
 *
 * const first = { actor: "a", incarnation: 1, counter: 7 };
 * const afterRestart = { actor: "a", incarnation: 2, counter: 1 };
 * assert(compareDots(first, afterRestart) < 0);
 * ```
 */
export function compareDots(a: Dot, b: Dot): number {
  if (a.incarnation !== b.incarnation) return a.incarnation < b.incarnation ? -1 : 1;
  if (a.counter !== b.counter) return a.counter < b.counter ? -1 : 1;
  if (a.actor !== b.actor) return a.actor < b.actor ? -1 : 1;
  return 0;
}
