// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Whether a value is an integer from `least` to `most`, and one that a number holds exactly. */
export function isIntegerIn(value: unknown, least: number, most: number = Number.MAX_SAFE_INTEGER): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most;
}

/** Reads two bytes as a number, big endian. They must be there. */
export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** Reads four bytes as a number, big endian. They must be there. */
export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
