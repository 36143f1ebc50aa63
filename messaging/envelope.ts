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
  /** The call that it belongs to, if any. */
  readonly call?: CallMark | undefined;
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

/** Marks a message as one half of a call. */
export interface CallMark {
  /** The caller's number for the call. */
  readonly id: number;
  /** In a reply, whether the call succeeded; absent in a request. */
  readonly ok?: boolean | undefined;
}

/** The form in which an envelope travels. */
export function envelopeToValue({ sequence, floor, causal, call }: Envelope): unknown {
  if (causal === undefined && call === undefined) return [sequence, floor];
  return [
    sequence,
    floor,
    causal === undefined ? null : [causal.label, causal.stamp, causal.empty],
    call === undefined ? null : call.ok === undefined ? [call.id] : [call.id, call.ok],
  ];
}

/**
 * Reads an envelope that came from another node.
 *
 * @throws {TypeError} When it is malformed.
 */
export function envelopeFromValue(value: unknown): Envelope {
  if (!Array.isArray(value)) throw new TypeError("Cannot read an envelope: not a list");
  // By index: taking a list apart by a pattern costs as much as all the rest.
  const causal = value[2] ?? null;
  const call = value[3] ?? null;
  return {
    sequence: value[0],
    floor: value[1],
    causal: causal === null ? undefined : causalFromValue(causal),
    call: call === null ? undefined : callFromValue(call),
  };
}

function causalFromValue(value: unknown): CausalPlace {
  const [label, stamp, empty] = Array.isArray(value) ? value : [];
  if (typeof label !== "string" || label.length > 255 || typeof empty !== "boolean") {
    throw new TypeError("Cannot read an envelope: its causal place is malformed");
  }
  return { label, stamp: parseCausalStamp(stamp), empty };
}

function callFromValue(value: unknown): CallMark {
  const [id, ok] = Array.isArray(value) ? value : [];
  if (!Number.isSafeInteger(id) || (ok !== undefined && typeof ok !== "boolean")) {
    throw new TypeError("Cannot read an envelope: its call is malformed");
  }
  return { id, ok };
}
