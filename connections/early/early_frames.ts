// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteWriter } from "../../wire/byte_writer.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import { readU16, readU32 } from "../../wire/integers.ts";

/** Operation of a frame of kind `early` on the connection that it names. */
export const EarlyWord = {
  /** Bytes of it: `u32 position | bytes`. */
  bytes: 0,
  /** The sender has taken all up to here: `u32 position`. So much more than the window may be sent. */
  taken: 1,
  /** From here on the bytes take a socket: `u32 position | u8 whether the sender has dialed it | u64 number of the dial`. The word counts as a byte. */
  moved: 2,
  /** It is not, or no longer, open at the sender. */
  closed: 3,
  /** The socket on which the sender goes on has closed, and the receiver has not said that it goes on there: if it will not, it closes. */
  lost: 4,
} as const;

/** One of {@linkcode EarlyWord}'s numbers. */
export type EarlyWord = typeof EarlyWord[keyof typeof EarlyWord];

/** The dial that made a socket, as one of its ends sees it. */
export interface SocketMark {
  /** Whether this end has dialed it. */
  readonly outbound: boolean;
  /** Number of the dial, among the dialer's. */
  readonly dial: number;
}

/** Identity of a connection without a socket. Each end has a number of its own for it; a later one has a greater number. */
export interface EarlyName {
  readonly channel: string;
  readonly index: number;
  /** The number of the end that speaks. */
  readonly from: number;
  /** The number of the end that is spoken to; 0 when the other does not know it yet. */
  readonly to: number;
}

/** A frame of kind `early`. */
export interface EarlyFrame extends EarlyName {
  readonly word: number;
  /** Bytes that follow. A view. */
  readonly body: Uint8Array;
}

/** Bytes of a frame's body before the name of the channel. */
const HEAD_BYTES = 12;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes what stands in front: `u8 word | u8 index | u32 from | u32 to | u16 length of the channel's name | name`. */
export function writeEarlyHead(writer: ByteWriter, word: EarlyWord, { channel, index, from, to }: EarlyName): void {
  const name = new TextEncoder().encode(channel);
  writer.u8(word);
  writer.u8(index);
  writer.u32(from);
  writer.u32(to);
  writer.u16(name.length);
  writer.raw(name);
}

/**
 * Reads a frame.
 *
 * @throws {ProtocolError} When it is malformed.
 */
export function readEarly(buffer: Uint8Array, start: number, end: number): EarlyFrame {
  const at = start + HEAD_BYTES;
  const body = end < at ? Infinity : at + readU16(buffer, start + HEAD_BYTES - 2);
  if (body > end) throw malformed();
  let channel: string;
  try {
    channel = UTF8.decode(buffer.subarray(at, body));
  } catch {
    throw malformed();
  }
  const [from, to] = [readU32(buffer, start + 2), readU32(buffer, start + 6)];
  return { word: buffer[start]!, index: buffer[start + 1]!, channel, from, to, body: buffer.subarray(body, end) };
}

/**
 * Reads the position with which a body begins.
 *
 * @param length Bytes that the body has at least.
 * @throws {ProtocolError} When it is shorter.
 */
export function readPosition(body: Uint8Array, length = 4): number {
  if (body.length < length) throw malformed();
  return readU32(body, 0);
}

/** Writes which socket it is. */
export function writeMark(writer: ByteWriter, { outbound, dial }: SocketMark): void {
  writer.u8(outbound ? 1 : 0);
  writer.u64(BigInt(dial));
}

/** Reads which socket it is, from a body of 13 bytes. @returns The mark as this end sees it. */
export function readMark(body: Uint8Array): SocketMark {
  return { outbound: body[4] === 0, dial: readU32(body, 5) * 2 ** 32 + readU32(body, 9) };
}

function malformed(): ProtocolError {
  return new ProtocolError("Cannot read a frame of an early connection: it is malformed");
}
