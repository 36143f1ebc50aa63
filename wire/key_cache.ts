// Copyright 2026 the Partisan peer-service authors. MIT license.

import { readShortAscii, readText } from "./message_pack_text.ts";

/** A power of two. */
const SLOTS = 256;

/** Keys that are read before any is remembered: a decoder of a single value has no use for the slots. */
const KEYS_BEFORE_SLOTS = 32;

/**
 * Remembers the map keys that were read lately, so that a key which comes again costs a comparison and no new string.
 * Each key has one slot, which the next key for the same slot takes over: the size is bounded whatever a peer sends.
 */
export class KeyCache {
  #slots: (string | undefined)[] | null = null;
  #keysRead = 0;

  /** Reads the key that is the bytes from `start` to `end`: at most 31, the longest that has a head of one byte. */
  read(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return readText(bytes, start, end);
    if (this.#slots === null) {
      if (++this.#keysRead > KEYS_BEFORE_SLOTS) this.#slots = new Array(SLOTS);
      return readShortAscii(bytes, start, end) ?? readText(bytes, start, end);
    }
    const middle = bytes[start + (length >> 1)]!;
    const slot = (31 * length + 7 * bytes[start]! + 17 * middle + 13 * bytes[end - 1]!) & (SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== undefined && equals(known, bytes, start, length)) return known;
    const key = readShortAscii(bytes, start, end);
    if (key === undefined) return readText(bytes, start, end);
    return this.#slots[slot] = key;
  }
}

/** Compares an ASCII key with `length` bytes. */
function equals(key: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (key.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (key.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
