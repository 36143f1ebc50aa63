// Copyright 2026 the Partisan peer-service authors. MIT license.

import { EncodeError } from "./encode_error.ts";
import { ByteWriter } from "./byte_writer.ts";
import { DECODE_BUDGET, OBJECT_COST } from "./decode_budget.ts";
import { DEPTH_MAX } from "./message_pack_depth.ts";
import { writeCount, writeHead } from "./message_pack_head.ts";
import { writeText } from "./message_pack_text.ts";
import { writeTimestamp } from "./message_pack_timestamp.ts";

const { hasOwnProperty } = Object.prototype;

/** UTF-16 code units of a path that an error shows. */
const PATH_LENGTH_MAX = 100;

/**
 * Encodes `value` as MessagePack into a buffer of its own.
 *
 * @param value Value to encode; {@linkcode encodeInto} lists the types.
 * @returns The encoded bytes.
 * @throws {EncodeError} When `value`, or anything inside it, has no MessagePack form.
 *
 * @example Encode and decode
 * ```ts
 * import { decode, encode } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encode({ add: 1 });
 *
 * assertEquals(bytes, new Uint8Array([0x81, 0xa3, 0x61, 0x64, 0x64, 0x01]));
 * assertEquals(decode(bytes), { add: 1 });
 * ```
 */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(256);
  encodeInto(writer, value);
  return writer.bytes.slice(0, writer.length);
}

/**
 * Appends `value` as MessagePack to what `writer` holds.
 *
 * Byte for byte what `@std/msgpack` writes: `null`, booleans, strings, `Uint8Array`s, arrays and plain objects take
 * their shortest forms; numbers that are integers of up to 32 bits are written as integers, all others as 64-bit floats
 * (`-0` as `0`); bigints are always written as 64-bit integers. Lone surrogates arrive as U+FFFD. Beyond that library, a `Date` is
 * written as MessagePack's timestamp (extension type -1), and a property that is `undefined` is left out, as JSON does.
 *
 * Anything else is refused rather than changed on its way: functions, symbols, `Map`, `Set`, instances of classes, invalid dates,
 * and `undefined` by itself or in an array.
 *
 * @param writer Writer for the bytes. When this throws, a part of `value` may have been written: set `writer.length` back.
 * @param value Value to encode, nested at most 512 levels deep.
 * @throws {EncodeError} When `value`, or anything inside it, has no MessagePack form; the message says where.
 *
 * @example Find the culprit
 * ```ts
 * import { ByteWriter, encodeInto } from "@partisan/peer-service/transport";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(
 *   () => encodeInto(new ByteWriter(), { users: [{ rights: new Set(["read"]) }] }),
 *   Error,
 *   'Cannot encode "users[0].rights": Set objects have no MessagePack form',
 * );
 * ```
 */
export function encodeInto(writer: ByteWriter, value: unknown): void {
  writer.cost = 0;
  try {
    writeValue(writer, value, 0);
  } catch (error) {
    throw obstacle(error).toEncodeError();
  }
}

function writeValue(writer: ByteWriter, value: unknown, depth: number): void {
  switch (typeof value) {
    case "string":
      return writeText(writer, value);
    case "number":
      return writeNumber(writer, value);
    case "object":
      if (value === null) return writer.u8(0xc0);
      if (Array.isArray(value)) return writeArray(writer, value, depth + 1);
      if (value instanceof Uint8Array) return writeBinary(writer, value);
      return writeMap(writer, value as Record<string, unknown>, depth + 1);
    case "boolean":
      return writer.u8(value ? 0xc3 : 0xc2);
    case "bigint":
      return writeBigInt(writer, value);
    default:
      throw noForm(value);
  }
}

function writeNumber(writer: ByteWriter, value: number): void {
  if (value >>> 0 === value) {
    if (value < 0x80) writer.u8(value);
    else writeHead(writer, 0xcc, value);
  } else if ((value | 0) === value) {
    writeNegative(writer, value);
  } else {
    writer.u8(0xcb);
    writer.float64(value);
  }
}

function writeNegative(writer: ByteWriter, value: number): void {
  if (value >= -0x20) {
    writer.u8(value);
  } else if (value >= -0x80) {
    writer.u8(0xd0);
    writer.u8(value);
  } else if (value >= -0x8000) {
    writer.u8(0xd1);
    writer.u16(value);
  } else {
    writer.u8(0xd2);
    writer.u32(value);
  }
}

function writeBigInt(writer: ByteWriter, value: bigint): void {
  if (value >= 1n << 64n || value < -1n << 63n) {
    throw new Obstacle("bigints of more than 64 bits have no MessagePack form");
  }
  writer.u8(value < 0n ? 0xd3 : 0xcf);
  writer.u64(value);
}

function writeBinary(writer: ByteWriter, value: Uint8Array): void {
  if (value.length > 0xffff_ffff) throw new Obstacle("4 GiB and more of bytes have no MessagePack form");
  spend(writer, 0);
  writeHead(writer, 0xc4, value.length);
  writer.raw(value);
}

function writeArray(writer: ByteWriter, array: readonly unknown[], depth: number): void {
  checkDepth(depth);
  const { length } = array;
  spend(writer, length);
  writeCount(writer, 0x90, 0xdc, length);
  let index = 0;
  try {
    for (; index < length; index++) writeValue(writer, array[index], depth);
  } catch (error) {
    throw obstacle(error).within(`[${index}]`);
  }
}

function writeMap(writer: ByteWriter, map: Readonly<Record<string, unknown>>, depth: number): void {
  const prototype = Object.getPrototypeOf(map);
  if (prototype !== Object.prototype && prototype !== null) return writeInstance(writer, map);
  checkDepth(depth);
  const mark = writer.length;
  const count = countKeys(map);
  spend(writer, 2 * count);
  writeCount(writer, 0x80, 0xde, count);
  const written = writeProperties(writer, map, depth);
  if (written === count) return;
  // Most objects have no property that is `undefined`, so only the others are counted with care, and written twice.
  writer.length = mark;
  const defined = countDefined(map);
  writeCount(writer, 0x80, 0xde, defined);
  if (writeProperties(writer, map, depth) !== defined) {
    throw new Obstacle("its properties changed while they were read");
  }
}

/** Writes the properties that are not `undefined`. Returns how many there are. */
function writeProperties(writer: ByteWriter, map: Readonly<Record<string, unknown>>, depth: number): number {
  let written = 0;
  let culprit = "";
  try {
    // `for in` reads the properties faster than `Object.keys()` and an index do; the check of ownership is free.
    for (const key in map) {
      if (!hasOwnProperty.call(map, key)) continue;
      culprit = key;
      const value = map[key];
      if (value === undefined) continue;
      written++;
      writeText(writer, key);
      writeValue(writer, value, depth);
    }
  } catch (error) {
    throw obstacle(error).within(`.${culprit}`);
  }
  return written;
}

/** The one class whose instances have a form. */
function writeInstance(writer: ByteWriter, value: object): void {
  if (!(value instanceof Date)) throw noForm(value);
  const time = value.getTime();
  if (Number.isNaN(time)) throw new Obstacle("invalid dates have no MessagePack form");
  spend(writer, 0);
  writeTimestamp(writer, time);
}

function countKeys(map: object): number {
  let count = 0;
  for (const key in map) if (hasOwnProperty.call(map, key)) count++;
  return count;
}

function countDefined(map: Readonly<Record<string, unknown>>): number {
  return Object.values(map).filter((value) => value !== undefined).length;
}

/** Counts what the decoding of a value of so many elements costs. */
function spend(writer: ByteWriter, elements: number): void {
  if ((writer.cost += elements + OBJECT_COST) <= DECODE_BUDGET) return;
  throw new Obstacle(`it has more elements than the ${DECODE_BUDGET} that a message may have`);
}

function checkDepth(depth: number): void {
  if (depth > DEPTH_MAX) throw new Obstacle(`it contains itself, or is more than ${DEPTH_MAX} levels deep`);
}

function noForm(value: unknown): Obstacle {
  if (value === undefined) return new Obstacle("undefined has no MessagePack form");
  if (typeof value !== "object") return new Obstacle(`${typeof value}s have no MessagePack form`);
  const name = value!.constructor?.name ?? "Object";
  const kind = name === "Object" ? "objects with a prototype of their own" : `${name} objects`;
  return new Obstacle(`${kind} have no MessagePack form`);
}

/** Obstacle to the encoding of a value. Gathers the culprit's path on its way out to the root. */
class Obstacle {
  readonly #reason: string;
  readonly #cause: unknown;
  /** Steps of the path, the last one first. */
  readonly #steps: string[] = [];

  constructor(reason: string, cause?: unknown) {
    this.#reason = reason;
    this.#cause = cause;
  }

  within(step: string): Obstacle {
    this.#steps.push(step);
    return this;
  }

  toEncodeError(): EncodeError {
    const path = pathOf(this.#steps.toReversed());
    const subject = path === "" ? "the value" : `"${path}"`;
    return new EncodeError(`Cannot encode ${subject}: ${this.#reason}`, this.#cause ? { cause: this.#cause } : {});
  }
}

/** Path as an error shows it: one that is long is cut, where it goes round for the third time at the latest. */
function pathOf(steps: readonly string[]): string {
  const path = steps.join("").replace(/^\./, "");
  if (path.length <= PATH_LENGTH_MAX) return path;
  const shown = steps.slice(0, thirdRound(steps)).join("").replace(/^\./, "");
  return `${shown.slice(0, PATH_LENGTH_MAX)}…`;
}

/** Number of steps at the end of their third round, where they go round and round; else of all. */
function thirdRound(steps: readonly string[]): number {
  const { length } = steps;
  let end = length;
  for (let round = 1; 3 * round <= length; round++) {
    let start = length - round;
    while (start > 0 && steps[start - 1] === steps[start - 1 + round]) start--;
    end = Math.min(end, start + 3 * round);
  }
  return end;
}

/** Makes an obstacle of whatever was thrown: reading a value can run a user's getter. */
function obstacle(error: unknown): Obstacle {
  if (error instanceof Obstacle) return error;
  return new Obstacle(error instanceof Error ? error.message : "reading it failed", error);
}
