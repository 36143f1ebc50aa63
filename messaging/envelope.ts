// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type CausalStamp, parseCausalStamp } from "./causal_stamp.ts";

/** What a message with guarantees carries besides its payload. */
export interface Envelope {
  /** Its number among the sender's messages to this receiver. */
  readonly sequence: number;
  /** The oldest number that the sender has outstanding here. */
  readonly floor: number;
  /** Its place in the causal order, if it has one. */
  readonly causal?: CausalPlace | undefined;
}

/** A message's place in a causal order. */
export interface CausalPlace {
  /** The order. */
  readonly label: string;
  /** The place. */
  readonly stamp: CausalStamp;
  /** Whether the sender gave the message up, so that only its place is left. */
  readonly empty: boolean;
}

/** The form in which an envelope travels. */
export function envelopeToValue({ sequence, floor, causal }: Envelope): unknown {
  if (causal === undefined) return [sequence, floor];
  return [sequence, floor, causal.label, causal.stamp, causal.empty];
}

/**
 * Reads an envelope that came from another node.
 *
 * @throws {TypeError} When it is malformed.
 */
export function envelopeFromValue(value: unknown): Envelope {
  if (!Array.isArray(value)) throw new TypeError("Cannot read an envelope: not a list");
  const [sequence, floor, label, stamp, empty] = value;
  if (label === undefined) return { sequence, floor };
  if (typeof label !== "string" || typeof empty !== "boolean") {
    throw new TypeError("Cannot read an envelope: malformed");
  }
  return { sequence, floor, causal: { label, stamp: parseCausalStamp(stamp), empty } };
}
