// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteWriter } from "./byte_writer.ts";
import { writeHead } from "./message_pack_head.ts";

const encoder = new TextEncoder();
/** Invalid UTF-8 becomes U+FFFD, and a byte order mark is text like any other. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** UTF-16 code units from which on `TextEncoder` is faster than a loop. */
const LONG_TEXT = 64;
/** Bytes from which on `TextDecoder` is faster than a loop. */
const LONG_BYTES = 32;

/** Writes `text` with its head. */
export function writeText(writer: ByteWriter, text: string): void {
  if (text.length >= LONG_TEXT || !writeShortAscii(writer, text)) writeAnyText(writer, text);
}

/** Writes `text`, of less than 64 code units, unless it is not all ASCII: then leaves the writer as it was. */
function writeShortAscii(writer: ByteWriter, text: string): boolean {
  const { length } = text;
  writer.reserve(2 + length);
  const { bytes } = writer;
  let at = writer.length;
  if (length < 0x20) {
    bytes[at++] = 0xa0 | length;
  } else {
    bytes[at++] = 0xd9;
    bytes[at++] = length;
  }
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return false;
    bytes[at++] = unit;
  }
  writer.length = at;
  return true;
}

function writeAnyText(writer: ByteWriter, text: string): void {
  // The head comes first, but its size depends on what it counts: guess that all is ASCII, and start over when it is not.
  const guess = headSize(text.length);
  const size = encodeAt(writer, guess, text);
  const actual = headSize(size);
  if (actual !== guess) encodeAt(writer, actual, text);
  if (actual === 1) writer.u8(0xa0 | size);
  else writeHead(writer, 0xd9, size);
  writer.length += size;
}

function headSize(size: number): number {
  return size < 0x20 ? 1 : size < 0x100 ? 2 : size < 0x1_0000 ? 3 : 5;
}

/** Puts `text` into the unwritten part of the buffer, from `offset` on. Returns how many bytes it took. */
function encodeAt(writer: ByteWriter, offset: number, text: string): number {
  writer.reserve(offset + text.length);
  const first = encoder.encodeInto(text, writer.bytes.subarray(writer.length + offset));
  if (first.read === text.length) return first.written;
  writer.reserve(offset + 3 * text.length);
  return encoder.encodeInto(text, writer.bytes.subarray(writer.length + offset)).written;
}

/** Reads the text that is the bytes from `start` to `end`. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  const ascii = end - start < LONG_BYTES ? readShortAscii(bytes, start, end) : undefined;
  return ascii ?? decoder.decode(bytes.subarray(start, end));
}

/** Reads a short text, unless it is not all ASCII. Eight characters at a time: calls cost more than characters. */
export function readShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const a = bytes[at]!, b = bytes[at + 1]!, c = bytes[at + 2]!, d = bytes[at + 3]!;
    const e = bytes[at + 4]!, f = bytes[at + 5]!, g = bytes[at + 6]!, h = bytes[at + 7]!;
    if ((a | b | c | d | e | f | g | h) > 0x7f) return undefined;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; at + 4 <= end; at += 4) {
    const a = bytes[at]!, b = bytes[at + 1]!, c = bytes[at + 2]!, d = bytes[at + 3]!;
    if ((a | b | c | d) > 0x7f) return undefined;
    text += String.fromCharCode(a, b, c, d);
  }
  for (; at < end; at++) {
    const a = bytes[at]!;
    if (a > 0x7f) return undefined;
    text += String.fromCharCode(a);
  }
  return text;
}
