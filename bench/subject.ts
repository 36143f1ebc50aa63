// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Report } from "./report.ts";

/** Amount of measurement. */
export interface Effort {
  /** Rounds that count. */
  readonly rounds: number;
  /** Milliseconds that one contestant gets in one round. */
  readonly roundMs: number;
  /** Whether the largest cases are left out. */
  readonly quick: boolean;
  /** Text that the name of a case has to contain, where the subject has cases that take long. */
  readonly only?: string | undefined;
}

/** A part of the table. */
export interface Subject {
  /** Name that selects it on the command line. */
  readonly name: string;
  /** Title above its table. */
  readonly title: string;
  /** Meaning of the other column. */
  readonly baseline: string;
  measure(effort: Effort, report: Report): Promise<void>;
}

/**
 * Measures contestants in turns, so that whatever else the machine does meets them all alike, and each round in the other order.
 * A first round is for warming up.
 *
 * @returns For each contestant, what each round gave.
 */
export async function interleave<T>(rounds: number, contestants: readonly (() => Promise<T>)[]): Promise<T[][]> {
  const results: T[][] = contestants.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    const order = contestants.map((_, index) => round % 2 === 0 ? index : contestants.length - 1 - index);
    for (const index of order) {
      const result = await contestants[index]!();
      if (round > 0) results[index]!.push(result);
    }
  }
  return results;
}
