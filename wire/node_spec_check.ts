// Copyright 2026 the Partisan peer-service authors. MIT license.

import { frozenCopy } from "./frozen_copy.ts";
import { mapValues } from "../runtime/map_values.ts";
import { isPlain, typeName } from "../runtime/type_name.ts";
import { channelToNumber, sharedChannel } from "./channel_number.ts";
import { isIntegerIn } from "./integers.ts";
import type { Address } from "./address.ts";
import type { ChannelSpec, NodeSpec } from "./node_spec.ts";

/** Limits of a node specification. Specs of other nodes are kept for as long as these are members, so each is bounded. */
export const NODE_SPEC_LIMITS = {
  /** UTF-16 code units of a name, a host name or a channel's name. */
  nameLength: 255,
  /** Addresses of one node. */
  addresses: 32,
  /** Channels of one node. */
  channels: 64,
  /** Connections per pair of nodes on one channel. */
  parallelism: 64,
  /** Levels of arrays and objects within metadata. */
  metadataDepth: 8,
  /** Roughly the bytes that metadata takes: 8 for each value, 2 for each UTF-16 code unit, 1 for each byte. */
  metadataSize: 16_384,
} as const;

/** Bytes of a public key. */
const KEY_BYTES = 32;

/**
 * Checks that a value from outside is a node spec.
 *
 * @param value Value that may be one.
 * @returns A node spec with no other fields than a node spec has, which shares nothing with the value and cannot be changed.
 * @throws {TypeError} When something is missing or of another type.
 * @throws {RangeError} When something is too long, too large or too many.
 *
 * @example Reading a spec that an orchestrator sent as JSON
 * ```ts
 * import { checkNodeSpec } from "@partisan/peer-service/membership";
 * import { assert, assertEquals, assertThrows } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = checkNodeSpec({
 *   name: "a@10.0.0.1",
 *   incarnation: 1,
 *   addresses: [{ hostname: "10.0.0.1", port: 9090 }],
 *   channels: { default: plain, membership: plain },
 *   metadata: { zone: "eu-1" },
 * });
 * assertEquals(spec.name, "a@10.0.0.1");
 * // It is a copy that nobody can change: it is told to others.
 * assert(Object.isFrozen(spec) && Object.isFrozen(spec.addresses[0]));
 * assertThrows(() => checkNodeSpec({ name: "a" }), TypeError, "incarnation");
 * ```
 */
export function checkNodeSpec(value: unknown): NodeSpec {
  const fields = checkObject(value, "node spec");
  const { since, key } = fields;
  const name = checkName(fields.name, "name");
  const incarnation = checkInteger(fields.incarnation, "incarnation", 0, Number.MAX_SAFE_INTEGER);
  const addresses = checkAddresses(fields.addresses);
  const channels = checkChannels(fields.channels);
  const metadata = checkMetadata(fields.metadata);
  // Most have neither, and each end of a connection checks one: to put in what may be missing takes a third of the time.
  if (since === undefined && key === undefined) {
    return Object.freeze({ name, incarnation, addresses, channels, metadata });
  }
  return Object.freeze({
    name,
    incarnation,
    ...(since !== undefined && { since: checkInteger(since, "since", 0, incarnation) }),
    ...(key !== undefined && { key: checkKey(key) }),
    addresses,
    channels,
    metadata,
  });
}

/**
 * Control characters, line breaks, marks that change the direction of text, and halves of characters: a name is printed, logged, and
 * sent to hosts that may take it for a command.
 */
// deno-lint-ignore no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;

/** Whether a name can be printed as it is. */
export function isPrintable(name: string): boolean {
  return !UNPRINTABLE.test(name);
}

/** Checks that a value is a string that can be a name: 1 to 255 UTF-16 code units that can be printed. */
export function checkName(value: unknown, what: string): string {
  if (typeof value !== "string") throw new TypeError(`Invalid ${what}: expected a string, got ${typeName(value)}`);
  if (value.length === 0 || value.length > NODE_SPEC_LIMITS.nameLength) {
    throw new RangeError(
      `Invalid ${what}: expected 1 to ${NODE_SPEC_LIMITS.nameLength} code units, got ${value.length}`,
    );
  }
  if (!isPrintable(value)) throw new RangeError(`Invalid ${what}: ${JSON.stringify(value)} cannot be printed`);
  return value;
}

/** Checks that a value is an integer in a range. */
export function checkInteger(value: unknown, what: string, least: number, most: number): number {
  if (typeof value !== "number") throw new TypeError(`Invalid ${what}: expected an integer, got ${typeName(value)}`);
  if (!isIntegerIn(value, least, most)) {
    throw new RangeError(`Invalid ${what}: expected an integer from ${least} to ${most}, got ${value}`);
  }
  return value;
}

/** Checks that a value is an array of not too many elements, and copies it, so that it has no holes. */
export function checkArray(value: unknown, what: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`Invalid ${what}: expected an array, got ${typeName(value)}`);
  if (value.length > most) {
    throw new RangeError(`Invalid ${what}: expected at most ${most} elements, got ${value.length}`);
  }
  return [...value];
}

/** Checks that a value is an object with fields, as opposed to an array, bytes or a date. */
export function checkObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (!isPlain(value)) throw new TypeError(`Invalid ${what}: expected an object, got ${typeName(value)}`);
  return value;
}

function checkKey(value: unknown): Uint8Array {
  const bytes = value instanceof Uint8Array ? value : bytesFromJson(value);
  if (bytes.length !== KEY_BYTES) throw new RangeError(`Invalid key: expected ${KEY_BYTES} bytes, got ${bytes.length}`);
  // The bytes around a view would be kept as well.
  return Uint8Array.from(bytes);
}

/** Bytes that went through JSON are an object with the positions for keys. */
function bytesFromJson(value: unknown): readonly number[] {
  const entries = Object.entries(checkObject(value, "key"));
  return entries.slice(0, KEY_BYTES + 1).map(([position, byte], at) => {
    if (position !== `${at}`) throw new TypeError(`Invalid key: expected bytes, got an object with "${position}"`);
    return checkInteger(byte, "byte of the key", 0, 255);
  });
}

function checkAddresses(value: unknown): readonly Address[] {
  return Object.freeze(checkArray(value, "addresses", NODE_SPEC_LIMITS.addresses).map(checkAddress));
}

function checkAddress(value: unknown): Address {
  const { hostname, port } = checkObject(value, "address");
  return Object.freeze({ hostname: checkName(hostname, "hostname"), port: checkInteger(port, "port", 0, 65_535) });
}

function checkChannels(value: unknown): Readonly<Record<string, ChannelSpec>> {
  const given = checkObject(value, "channels");
  const count = Object.keys(given).length;
  if (count > NODE_SPEC_LIMITS.channels) {
    throw new RangeError(`Invalid channels: expected at most ${NODE_SPEC_LIMITS.channels}, got ${count}`);
  }
  const channels = mapValues(given, checkChannel);
  for (const always of ["default", "membership"]) {
    if (!Object.hasOwn(channels, always)) throw new TypeError(`Invalid channels: "${always}" is missing`);
  }
  return Object.freeze(channels);
}

function checkChannel(value: unknown, name: string): ChannelSpec {
  checkName(name, "channel name");
  const { parallelism, monotonic, compression } = checkObject(value, "channel");
  return sharedChannel(channelToNumber({
    parallelism: checkInteger(parallelism, "parallelism", 1, NODE_SPEC_LIMITS.parallelism),
    monotonic: checkBoolean(monotonic, "monotonic"),
    compression: checkBoolean(compression, "compression"),
  }));
}

function checkBoolean(value: unknown, what: string): boolean {
  if (typeof value !== "boolean") throw new TypeError(`Invalid ${what}: expected a boolean, got ${typeName(value)}`);
  return value;
}

/** About how many bytes a node spec that was checked takes on the wire, rather more than less. */
export function nodeSpecSize({ name, addresses, channels, metadata }: NodeSpec): number {
  let size = 3 * name.length + 32;
  for (const { hostname } of addresses) size += 3 * hostname.length + 8;
  for (const channel of Object.keys(channels)) size += 3 * channel.length + 16;
  return size + 2 * measure(metadata, 0, 1);
}

function checkMetadata(value: unknown): Readonly<Record<string, unknown>> {
  const metadata = checkObject(value, "metadata");
  measure(metadata, 0, 1);
  return frozenCopy(metadata);
}

/** Adds the rough size of `value` to `size`, and gives up as soon as a limit is passed. */
function measure(value: unknown, size: number, depth: number): number {
  size += 8;
  if (typeof value === "string") size += 2 * value.length;
  else if (value instanceof Uint8Array) size += value.byteLength;
  else if (typeof value === "object" && value !== null) {
    if (depth > NODE_SPEC_LIMITS.metadataDepth) {
      throw new RangeError(`Invalid metadata: nested deeper than ${NODE_SPEC_LIMITS.metadataDepth} levels`);
    }
    if (Array.isArray(value)) {
      for (const element of value) size = measure(element, size, depth + 1);
    } else {
      const fields = checkObject(value, "metadata");
      for (const key of Object.keys(fields)) size = measure(fields[key], size + 2 * key.length, depth + 1);
    }
  } else if (value !== null && !["boolean", "number", "bigint"].includes(typeof value)) {
    throw new TypeError(`Invalid metadata: ${typeName(value)} cannot be sent`);
  }
  if (size > NODE_SPEC_LIMITS.metadataSize) {
    throw new RangeError(`Invalid metadata: larger than ${NODE_SPEC_LIMITS.metadataSize} bytes`);
  }
  return size;
}
