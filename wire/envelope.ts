// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteWriter } from "./byte_writer.ts";
import { ProtocolError } from "./frame_reader.ts";
import { readU16, readU32 } from "./integers.ts";
import { type CausalStamp, parseCausalStamp } from "./causal_stamp.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import { isSequence } from "./sequence_ranges.ts";

/** Bytes of an envelope that has nothing but its numbers. */
export const NUMBERS_BYTES = 8;
/** Distance of the floor behind the message, in 15 bits: at most `DELIVERY_WINDOW`. */
const BEHIND_MASK = 0x7fff;
/** Says that more follows the numbers. */
const MORE_BIT = 0x8000;

/** Header of a message with delivery guarantees. */
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

/**
 * Writes an envelope in front of its message: `u16 how far the floor is behind | u48 sequence`, and where there is more to say,
 * `u32 length | [causal, call]`. Nearly every envelope is nothing but these 8 bytes.
 *
 * @throws {RangeError} When the floor is further behind than any window.
 */
export function writeEnvelope(writer: ByteWriter, codec: PayloadCodec, envelope: Envelope): void {
  const { sequence, floor, causal, call } = envelope;
  const behind = sequence - floor;
  if (behind < 0 || behind > BEHIND_MASK) {
    throw new RangeError(`Cannot write an envelope: message ${sequence} is ${behind} beyond its floor`);
  }
  const hasMore = causal !== undefined || call !== undefined;
  writeNumbers(writer, hasMore ? behind | MORE_BIT : behind, sequence);
  if (hasMore) codec.writePrefixed(writer, marksToValue(envelope));
}

/** Writes what every envelope has: its room is looked for once. */
function writeNumbers(writer: ByteWriter, head: number, sequence: number): void {
  writer.reserve(NUMBERS_BYTES);
  const { bytes, length } = writer;
  const high = sequence / 2 ** 32;
  bytes[length] = head >>> 8;
  bytes[length + 1] = head;
  bytes[length + 2] = high >>> 8;
  bytes[length + 3] = high;
  bytes[length + 4] = sequence >>> 24;
  bytes[length + 5] = sequence >>> 16;
  bytes[length + 6] = sequence >>> 8;
  bytes[length + 7] = sequence;
  writer.length = length + NUMBERS_BYTES;
}

/**
 * Reads an envelope in front of a message from another node.
 *
 * @returns The envelope and the position behind it.
 * @throws {ProtocolError} When it is cut off.
 * @throws {TypeError} When it is malformed.
 */
export function readEnvelope(
  codec: PayloadCodec,
  buffer: Uint8Array,
  start: number,
  end: number,
): [envelope: Envelope, next: number] {
  if (end - start < NUMBERS_BYTES) throw new ProtocolError("Cannot read a message: it is truncated");
  const sequence = readSequence(buffer, start);
  const floor = readFloor(buffer, start, sequence);
  const next = start + NUMBERS_BYTES;
  if (isNumbersOnly(buffer, start, end)) return [{ sequence, floor, causal: undefined, call: undefined }, next];
  const [marks, behind] = codec.readPrefixed(buffer, next, end);
  if (!Array.isArray(marks)) throw new TypeError("Cannot read an envelope: its marks are not a list");
  return [envelopeFromValue([sequence, floor, ...marks]), behind];
}

/** Whether an envelope in front of a message is nothing but its numbers: those can be read by themselves. */
export function isNumbersOnly(buffer: Uint8Array, start: number, end: number): boolean {
  return end - start >= NUMBERS_BYTES && readU16(buffer, start) < MORE_BIT;
}

/** Reads the message's number out of an envelope. */
export function readSequence(buffer: Uint8Array, start: number): number {
  const high = readU16(buffer, start + 2);
  const low = readU32(buffer, start + 4);
  return high === 0 ? low : high * 2 ** 32 + low;
}

/**
 * Reads the floor out of the envelope of a message of that number.
 *
 * @throws {TypeError} When it is malformed.
 */
export function readFloor(buffer: Uint8Array, start: number, sequence: number): number {
  const floor = sequence - (readU16(buffer, start) & BEHIND_MASK);
  if (floor < 1) refuseNumbers();
  return floor;
}

/** The form in which an envelope is relayed. */
export function envelopeToValue(envelope: Envelope): unknown {
  const { sequence, floor, causal, call } = envelope;
  return causal === undefined && call === undefined ? [sequence, floor] : [sequence, floor, ...marksToValue(envelope)];
}

/**
 * Reads an envelope that was relayed.
 *
 * @throws {TypeError} When it is malformed.
 */
export function envelopeFromValue(value: unknown): Envelope {
  if (!Array.isArray(value)) throw new TypeError("Cannot read an envelope: not a list");
  const [sequence, floor, causal = null, call = null] = value;
  if (!isSequence(sequence) || !isSequence(floor) || floor > sequence) refuseNumbers();
  return {
    sequence,
    floor,
    causal: causal === null ? undefined : causalFromValue(causal),
    call: call === null ? undefined : callFromValue(call),
  };
}

function refuseNumbers(): never {
  throw new TypeError("Cannot read an envelope: number and floor must be integers from 1, the floor the smaller one");
}

function marksToValue({ causal, call }: Envelope): unknown[] {
  return [
    causal === undefined ? null : [causal.label, causal.stamp, causal.empty],
    call === undefined ? null : call.ok === undefined ? [call.id] : [call.id, call.ok],
  ];
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
