// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "./integers.ts";

/**
 * Packs numbers into ranges.
 *
 * @param sequences In any order; a number that comes twice counts once.
 * @returns First and last of each range, in ascending order: `[1, 3, 7, 7]` for 7, 1, 2 and 3.
 */
export function toRanges(sequences: Iterable<number>): number[] {
  const ranges: number[] = [];
  for (const sequence of [...sequences].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (sequence === last) continue;
    if (last !== undefined && sequence === last + 1) ranges[ranges.length - 1] = sequence;
    else ranges.push(sequence, sequence);
  }
  return ranges;
}

/** Every number of ranges that {@linkcode checkRanges} has passed. */
export function* fromRanges(ranges: readonly number[]): Generator<number> {
  for (let index = 0; index < ranges.length; index += 2) {
    for (let sequence = ranges[index]!; sequence <= ranges[index + 1]!; sequence++) yield sequence;
  }
}

/**
 * Checks ranges that came from another node.
 *
 * @param limit Most numbers that they may hold together.
 * @throws {TypeError} When they are malformed, or hold more.
 */
export function checkRanges(value: unknown, limit: number): number[] {
  if (!Array.isArray(value) || value.length % 2 !== 0) throw new TypeError("Cannot read ranges: not an array of pairs");
  let previous = 0;
  let count = 0;
  for (let index = 0; index < value.length; index += 2) {
    const first: unknown = value[index];
    const last: unknown = value[index + 1];
    if (!isSequence(first) || !isSequence(last) || first <= previous || last < first) {
      throw new TypeError("Cannot read ranges: not ascending positive integers");
    }
    count += last - first + 1;
    if (count > limit) throw new TypeError(`Cannot read ranges: they hold more than ${limit} numbers`);
    previous = last;
  }
  return value;
}

/** Whether `value` can be a sequence number: a safe integer, 1 or more. */
export function isSequence(value: unknown): value is number {
  return isIntegerIn(value, 1);
}
