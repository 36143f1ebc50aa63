// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../wire/integers.ts";
import type { RemoteError } from "./errors.ts";
import { remoteErrorFromValue, remoteErrorToValue } from "./failure.ts";
import { checkRanges, isSequence } from "../wire/sequence_ranges.ts";

/**
 * Acknowledgement of a receiver to a sender about its numbered messages: the body of an `ack` frame. Acknowledgements may be
 * lost: a repetition of the message brings another.
 */
export interface Acknowledgement {
  /** Incarnation of the sender that the numbers belong to. */
  readonly incarnation: number;
  /** Every message up to this number was handled, or given up by the sender itself; 0 when there is none. */
  readonly through: number;
  /** Further handled ones, as pairs of first and last. */
  readonly ranges: readonly number[];
  /** Those that there was no room for, or whose place is one in another incarnation of the receiver, as pairs; worth repeating. */
  readonly full: readonly number[];
  /** Those that came too late for their place in the causal order, as pairs; they will never be handled. */
  readonly late: readonly number[];
  /** Those that have no handler yet, as pairs; worth repeating for a while. */
  readonly missing: readonly number[];
  /** Those whose handler threw, and what; they will not be handed over again. */
  readonly failed: readonly (readonly [sequence: number, error: RemoteError])[];
}

/**
 * Checks an acknowledgement that came from another node.
 *
 * @param limit Most messages that one list of it may name.
 * @throws {TypeError} When it is malformed.
 */
export function parseAcknowledgement(value: unknown, limit: number): Acknowledgement {
  if (typeof value !== "object" || value === null) throw new TypeError("Cannot read an acknowledgement: not an object");
  const { incarnation, through, ranges, full, late, missing, failed } = value as Record<string, unknown>;
  if (!isIntegerIn(incarnation, 0) || !isIntegerIn(through, 0)) {
    throw new TypeError("Cannot read an acknowledgement: incarnation and through must be safe integers, 0 or more");
  }
  return {
    incarnation,
    through,
    ranges: checkRanges(ranges, limit),
    full: checkRanges(full, limit),
    late: checkRanges(late, limit),
    missing: checkRanges(missing, limit),
    failed: checkFailed(failed, limit),
  };
}

function checkFailed(value: unknown, limit: number): [number, RemoteError][] {
  if (!Array.isArray(value) || value.length > limit) {
    throw new TypeError("Cannot read an acknowledgement: its failures are malformed");
  }
  return value.map((failure) => {
    const [sequence, error] = Array.isArray(failure) ? failure : [];
    if (!isSequence(sequence)) throw new TypeError("Cannot read an acknowledgement: a failure has no number");
    return [sequence, remoteErrorFromValue(error)];
  });
}

/** Most messages that one list of an acknowledgement may name: a whole window. */
const NAMED_MAX = 65_536;

/** The form in which an acknowledgement travels. */
export function acknowledgementToValue(
  { incarnation, through, ranges, full, late, missing, failed }: Acknowledgement,
): unknown {
  if (full.length + late.length + missing.length + failed.length === 0) return [incarnation, through, ranges];
  const failures = failed.map(([sequence, error]) => [sequence, remoteErrorToValue(error)]);
  return [incarnation, through, ranges, full, late, missing, failures];
}

/**
 * Reads an acknowledgement that came from another node.
 *
 * @throws {TypeError} When it is malformed.
 */
export function acknowledgementFromValue(value: unknown): Acknowledgement {
  if (!Array.isArray(value)) throw new TypeError("Cannot read an acknowledgement: not a list");
  const [incarnation, through, ranges, full = [], late = [], missing = [], failed = []] = value;
  return parseAcknowledgement({ incarnation, through, ranges, full, late, missing, failed }, NAMED_MAX);
}
