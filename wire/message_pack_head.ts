// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteWriter } from "./byte_writer.ts";

/**
 * Writes the shortest head that holds `size`: `format8`, or one of the two formats after it, which MessagePack always
 * gives to the same type with a size of 16 and 32 bits.
 */
export function writeHead(writer: ByteWriter, format8: number, size: number): void {
  if (size < 0x100) {
    writer.u8(format8);
    writer.u8(size);
  } else if (size < 0x1_0000) {
    writer.u8(format8 + 1);
    writer.u16(size);
  } else {
    writer.u8(format8 + 2);
    writer.u32(size);
  }
}

/** Writes how many elements follow: within the byte `fixed` when there are less than 16, else after `format16` or the next. */
export function writeCount(writer: ByteWriter, fixed: number, format16: number, count: number): void {
  if (count < 0x10) {
    writer.u8(fixed | count);
  } else if (count < 0x1_0000) {
    writer.u8(format16);
    writer.u16(count);
  } else {
    writer.u8(format16 + 1);
    writer.u32(count);
  }
}
