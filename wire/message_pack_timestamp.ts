// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteWriter } from "./byte_writer.ts";

/** The extension type of a timestamp, -1, as a byte. */
export const TIMESTAMP_TYPE = 0xff;

/** Milliseconds since 1970 beyond which there is no `Date`, on either side. */
const DATE_MS_MAX = 8.64e15;

/**
 * Writes a time in the shortest of the three forms of MessagePack's timestamp: whole seconds in 32 bits, nanoseconds and seconds in
 * 64 bits, or 96 bits for times before 1970 and after 2514.
 *
 * @param time Milliseconds since 1970; a whole number.
 */
export function writeTimestamp(writer: ByteWriter, time: number): void {
  const seconds = Math.floor(time / 1_000);
  const nanoseconds = (time - seconds * 1_000) * 1_000_000;
  if (seconds < 0 || seconds >= 2 ** 34) {
    writer.u8(0xc7);
    writer.u8(12);
    writer.u8(TIMESTAMP_TYPE);
    writer.u32(nanoseconds);
    writer.u64(BigInt(seconds));
  } else if (nanoseconds !== 0 || seconds >= 2 ** 32) {
    writer.u8(0xd7);
    writer.u8(TIMESTAMP_TYPE);
    writer.u64(BigInt(nanoseconds) << 34n | BigInt(seconds));
  } else {
    writer.u8(0xd6);
    writer.u8(TIMESTAMP_TYPE);
    writer.u32(seconds);
  }
}

/**
 * Reads the body of a timestamp.
 *
 * @param body Its 4, 8 or 12 bytes.
 * @returns The time, rounded down to milliseconds; `undefined` when it is malformed, or no `Date` can hold it.
 */
export function readTimestamp(body: Uint8Array): Date | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  switch (body.length) {
    case 4:
      return dateOf(view.getUint32(0), 0);
    case 8: {
      const both = view.getBigUint64(0);
      return dateOf(Number(both & 0x3_ffff_ffffn), Number(both >> 34n));
    }
    case 12:
      return dateOf(Number(view.getBigInt64(4)), view.getUint32(0));
    default:
      return undefined;
  }
}

function dateOf(seconds: number, nanoseconds: number): Date | undefined {
  const time = seconds * 1_000 + Math.floor(nanoseconds / 1_000_000);
  return nanoseconds > 999_999_999 || Math.abs(time) > DATE_MS_MAX ? undefined : new Date(time);
}
