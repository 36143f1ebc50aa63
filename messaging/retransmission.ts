// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkOptions, NUMBER, type OptionKinds } from "../runtime/options.ts";

/** Share of a wait that chance takes off, so that what was sent together is not repeated together. */
const JITTER = 0.25;

/** Schedule by which a message is sent again. */
export interface Retransmission {
  /**
   * Milliseconds before the first repetition.
   *
   * @default {1_000}
   */
  readonly initial?: number;
  /**
   * By how much each wait is longer than the one before, 1 or more.
   *
   * @default {2}
   */
  readonly factor?: number;
  /**
   * Most milliseconds between two repetitions.
   *
   * @default {30_000}
   */
  readonly cap?: number;
}

/** Default schedule. */
export const DEFAULT_RETRANSMISSION: Required<Retransmission> = { initial: 1_000, factor: 2, cap: 30_000 };

const KINDS: OptionKinds<Retransmission> = { initial: NUMBER, factor: NUMBER, cap: NUMBER };

/**
 * Fills in what `given` leaves out.
 *
 * @throws {TypeError} When it has anything else than numbers, or other ones than a schedule has.
 * @throws {RangeError} When the result makes no sense.
 */
export function completeRetransmission(
  given: Retransmission | undefined,
  standard: Required<Retransmission>,
): Required<Retransmission> {
  if (given === undefined) return standard;
  const { initial = standard.initial, factor = standard.factor, cap = standard.cap } = checkOptions(
    "Cannot retransmit",
    given,
    KINDS,
  );
  if (!(initial > 0 && factor >= 1 && cap >= initial)) {
    throw new RangeError(
      `Cannot retransmit: initial is ${initial}, factor ${factor}, cap ${cap}, expected 0 < initial ≤ cap and factor ≥ 1`,
    );
  }
  return { initial, factor, cap };
}

/**
 * Milliseconds before the next repetition.
 *
 * @param repetitions Number of repetitions so far.
 * @param random A number in [0, 1).
 * @returns Milliseconds.
 */
export function retransmissionDelay(
  { initial, factor, cap }: Required<Retransmission>,
  repetitions: number,
  random: number,
): number {
  // Beyond 64 repetitions the cap was reached long ago, or the factor is 1.
  return Math.min(cap, initial * factor ** Math.min(repetitions, 64)) * (1 - JITTER * random);
}
