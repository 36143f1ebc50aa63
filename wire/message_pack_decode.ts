// Copyright 2026 the Partisan peer-service authors. MIT license.

import { DECODE_BUDGET, OBJECT_COST } from "./decode_budget.ts";
import { KeyCache } from "./key_cache.ts";
import { DEPTH_MAX } from "./message_pack_depth.ts";
import { readText } from "./message_pack_text.ts";
import { readTimestamp, TIMESTAMP_TYPE } from "./message_pack_timestamp.ts";

const NOTHING = new Uint8Array();
/** Elements to make room for before they are read, which is faster; beyond it an array grows with what is really there. */
const ROOM_AT_ONCE = 1024;

const OTHER_EXTENSION = "extension types but the timestamp are not supported";

/**
 * Decodes bytes that hold exactly one MessagePack value.
 *
 * @param bytes The encoded value; see {@linkcode Decoder.decode} for what becomes of it.
 * @returns The value. Binary data in it are views of `bytes`.
 * @throws {SyntaxError} When `bytes` are not exactly one value in MessagePack.
 *
 * @example Decode a map
 * ```ts
 * import { decode } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decode(new Uint8Array([0x81, 0xa2, 0x75, 0x70, 0xc3])), { up: true });
 * ```
 */
export function decode(bytes: Uint8Array): unknown {
  return new Decoder().decode(bytes);
}

/**
 * Decodes MessagePack, remembering the map keys that it met, so that one decoder for a stream of messages is faster than
 * a new one for each.
 *
 * @example Decode a value within a larger buffer
 * ```ts
 * import { Decoder } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new Decoder();
 * const buffer = new Uint8Array([0xff, 0x92, 0x01, 0x02, 0xff]);
 *
 * assertEquals(decoder.decode(buffer, 1, 4), [1, 2]);
 * assertEquals(decoder.viewsTaken, false);
 * ```
 */
export class Decoder {
  /**
   * Whether a decoded value holds a view of the bytes that it was decoded from, which must then not be overwritten.
   * Stays `true` until it is set to `false`.
   */
  viewsTaken: boolean = false;
  readonly #keys = new KeyCache();
  readonly #limit: number;
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  #at = 0;
  #end = 0;
  /** Budget that is left for the value at hand. */
  #budget = 0;
  /** Made when a float or a 64-bit integer is first met: allocating it costs more than decoding a small value. */
  #scratch: DataView | undefined;

  /**
   * Decodes nothing yet.
   *
   * @param budget Maximum of elements of a value; see {@linkcode Decoder.decode} for what counts.
   */
  constructor(budget: number = DECODE_BUDGET) {
    this.#limit = budget;
  }

  /**
   * Decodes the bytes from `start` to `end`, which hold exactly one value.
   *
   * Maps become plain objects, with numeric keys as strings; 64-bit integers become bigints; invalid UTF-8 becomes
   * U+FFFD; binary data become views of `bytes`; timestamps (extension type -1) become `Date`s, rounded down to
   * milliseconds. Other extension types are refused, and so is anything nested more than 512 levels deep. Memory is only taken for elements that are really there, whatever the counts in `bytes` say; and
   * a value of more than 8,388,608 elements, or than the decoder was told, is refused, where an entry of a map counts for two, and an array, a map, binary data and a date
   * for four more.
   *
   * @param bytes The buffer. It is not referred to afterwards, but by views in the returned value.
   * @param start Start of the value.
   * @param end End of the value.
   * @returns The value.
   * @throws {RangeError} When `start` and `end` are not a range of `bytes`.
   * @throws {SyntaxError} When the range is not exactly one value in MessagePack.
   */
  decode(bytes: Uint8Array, start = 0, end: number = bytes.length): unknown {
    if (!(0 <= start && start <= end && end <= bytes.length)) {
      throw new RangeError(`Cannot decode bytes ${start} to ${end}: there are ${bytes.length}`);
    }
    this.#bytes = bytes;
    this.#start = this.#at = start;
    this.#end = end;
    this.#budget = this.#limit;
    try {
      const value = this.#value(0);
      if (this.#at !== end) throw this.#error(`the value ends here, but ${end - this.#at} more bytes follow`);
      return value;
    } finally {
      this.#bytes = NOTHING;
    }
  }

  #value(depth: number): unknown {
    const head = this.#u8();
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f, depth + 1);
    if (head < 0xa0) return this.#array(head & 0x0f, depth + 1);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#binary(this.#u8());
      case 0xc5:
        return this.#binary(this.#u16());
      case 0xc6:
        return this.#binary(this.#u32());
      case 0xc7:
        return this.#timestamp(this.#u8());
      case 0xca:
        return this.#four().getFloat32(0);
      case 0xcb:
        return this.#eight().getFloat64(0);
      case 0xcc:
        return this.#u8();
      case 0xcd:
        return this.#u16();
      case 0xce:
        return this.#u32();
      case 0xcf:
        return this.#eight().getBigUint64(0);
      case 0xd0:
        return this.#u8() << 24 >> 24;
      case 0xd1:
        return this.#u16() << 16 >> 16;
      case 0xd2:
        return this.#u32() | 0;
      case 0xd3:
        return this.#eight().getBigInt64(0);
      case 0xd6:
        return this.#timestamp(4);
      case 0xd7:
        return this.#timestamp(8);
      case 0xd9:
        return this.#text(this.#u8());
      case 0xda:
        return this.#text(this.#u16());
      case 0xdb:
        return this.#text(this.#u32());
      case 0xdc:
        return this.#array(this.#u16(), depth + 1);
      case 0xdd:
        return this.#array(this.#u32(), depth + 1);
      case 0xde:
        return this.#map(this.#u16(), depth + 1);
      case 0xdf:
        return this.#map(this.#u32(), depth + 1);
      default:
        throw this.#error(head === 0xc1 ? "0xc1 is never used" : OTHER_EXTENSION);
    }
  }

  #text(size: number): string {
    const start = this.#take(size);
    return readText(this.#bytes, start, start + size);
  }

  #binary(size: number): Uint8Array {
    const start = this.#take(size);
    if ((this.#budget -= OBJECT_COST) < 0) throw this.#overspent();
    this.viewsTaken = true;
    return this.#bytes.subarray(start, start + size);
  }

  /** The only extension that is known. */
  #timestamp(size: number): Date {
    if (this.#u8() !== TIMESTAMP_TYPE) throw this.#error(OTHER_EXTENSION);
    if ((this.#budget -= OBJECT_COST) < 0) throw this.#overspent();
    const start = this.#take(size);
    const date = readTimestamp(this.#bytes.subarray(start, start + size));
    if (date === undefined) throw this.#error("it is a timestamp that no Date can hold");
    return date;
  }

  #array(count: number, depth: number): unknown[] {
    this.#checkElements(count, depth);
    const array: unknown[] = new Array(Math.min(count, ROOM_AT_ONCE));
    for (let index = 0; index < count; index++) array[index] = this.#value(depth);
    return array;
  }

  #map(count: number, depth: number): Record<string, unknown> {
    this.#checkElements(2 * count, depth);
    const map: Record<string, unknown> = {};
    for (let index = 0; index < count; index++) {
      const key = this.#key(depth);
      const value = this.#value(depth);
      // Assigning to this name would change the prototype.
      if (key === "__proto__") defineOwn(map, key, value);
      else map[key] = value;
    }
    return map;
  }

  #key(depth: number): string {
    const head = this.#bytes[this.#at]!;
    if (head >= 0xa0 && head < 0xc0) {
      const size = head & 0x1f;
      const start = this.#take(1 + size) + 1;
      return this.#keys.read(this.#bytes, start, start + size);
    }
    const key = this.#value(depth);
    if (typeof key !== "string" && typeof key !== "number") {
      throw this.#error("a map key must be a string or a number");
    }
    return String(key);
  }

  /** Refuses a count that the rest of the bytes cannot hold, as each element takes one byte at least, or that costs too much. */
  #checkElements(count: number, depth: number): void {
    if (count > this.#end - this.#at) throw this.#truncated(count);
    if ((this.#budget -= count + OBJECT_COST) < 0) throw this.#overspent();
    if (depth > DEPTH_MAX) throw this.#error(`it is nested more than ${DEPTH_MAX} levels deep`);
  }

  #u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #u16(): number {
    const at = this.#take(2);
    const bytes = this.#bytes;
    return bytes[at]! << 8 | bytes[at + 1]!;
  }

  #u32(): number {
    const at = this.#take(4);
    const bytes = this.#bytes;
    return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
  }

  /** The next 4 bytes. */
  #four(): DataView {
    const scratch = this.#scratch ??= new DataView(new ArrayBuffer(8));
    scratch.setUint32(0, this.#u32());
    return scratch;
  }

  /** The next 8 bytes. */
  #eight(): DataView {
    const scratch = this.#four();
    scratch.setUint32(4, this.#u32());
    return scratch;
  }

  /** Steps over `count` bytes and returns where they start. */
  #take(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) throw this.#truncated(count);
    this.#at = at + count;
    return at;
  }

  #truncated(count: number): SyntaxError {
    return this.#error(`${count} more bytes are expected, ${this.#end - this.#at} are left`);
  }

  #overspent(): SyntaxError {
    return this.#error(`it has more elements than the ${this.#limit} that a value may have`);
  }

  #error(reason: string): SyntaxError {
    return new SyntaxError(`Cannot decode MessagePack at byte ${this.#at - this.#start}: ${reason}`);
  }
}

function defineOwn(map: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}
