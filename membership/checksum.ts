// Copyright 2026 the Partisan peer-service authors. MIT license.

/** The polynomial of IEEE 802.3, its bits reversed. */
const POLYNOMIAL = 0xedb88320;

/**
 * The CRC-32 of Ethernet, gzip and PNG: finds whatever a torn write or a failing disk does to a few kilobytes.
 *
 * @returns An unsigned 32-bit integer.
 */
export function crc32(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  }
  return ~remainder >>> 0;
}
