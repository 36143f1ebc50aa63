// Copyright 2026 the Partisan peer-service authors. MIT license.

import { mapValues } from "../runtime/map_values.ts";
import type { Address } from "./address.ts";
import { parseIpv4 } from "./address_ranges.ts";
import { isIntegerIn } from "./integers.ts";
import { channelFromNumber, channelToNumber } from "./channel_number.ts";
import type { ChannelSpec, NodeSpec } from "./node_spec.ts";
import { isPlain } from "../runtime/type_name.ts";

/*
 * A specification is a map of about 180 bytes, most of them the names of its fields, and channels that are the same at all nodes. Within a
 * value that is packed it is an array behind a mark, of about 25:
 *
 *   { "": [name, incarnation, addresses, channels, metadata, since, key] }
 *
 * incarnation  less that of the specification before it in the value
 * addresses    4 bytes and a port of 16 bits for each where all are of IPv4; else host name, port, host name, port, and so on
 * channels     by name: 4 * parallelism, and 2 where monotonic, and 1 where compressed; null for those of the specification before
 * metadata     as it is; null for none
 *
 * What is null or undefined at the end is left out. A map that happens to have the mark for its only key stands within another one.
 */

const MARK = "";

/** Specifications of a value that are packed; further ones stay as they are. It bounds what a small frame can stand for. */
const PACKED_MAX = 1_024;

const PORT_MAX = 65_535;
const IPV4_BYTES = 6;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Packs the specifications within a value.
 *
 * @returns A value that {@linkcode unpackSpecs} makes the same of.
 */
export function packSpecs(value: unknown): unknown {
  return new Packer().pack(value);
}

/**
 * Makes the value of one that {@linkcode packSpecs} packed. What it makes of a specification is still to be checked.
 *
 * @throws {TypeError} When it was not packed so.
 */
export function unpackSpecs(value: unknown): unknown {
  return new Unpacker().unpack(value);
}

/** Fields of the specification before, which stand for those that are left out. */
interface Before {
  readonly incarnation: number;
  readonly channels: unknown;
}

const NONE: Before = { incarnation: 0, channels: undefined };

class Packer {
  #before = NONE;
  #left = PACKED_MAX;

  pack(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((element) => this.pack(element));
    if (!isPlain(value)) return value;
    if (this.#left > 0 && isSpec(value)) return { [MARK]: this.#packed(value) };
    const packed = mapValues(value, (field) => this.pack(field));
    return isMarked(value) ? { [MARK]: packed } : packed;
  }

  #packed({ name, incarnation, since, key, addresses, channels, metadata }: NodeSpec): unknown[] {
    const { incarnation: before, channels: same } = this.#before;
    this.#left--;
    this.#before = { incarnation, channels };
    const fields = [
      name,
      incarnation - before,
      packAddresses(addresses),
      areSameChannels(channels, same) ? null : mapValues(channels, channelToNumber),
      Object.keys(metadata).length === 0 ? null : metadata,
      since ?? null,
      key ?? null,
    ];
    while (fields.at(-1) === null) fields.pop();
    return fields;
  }
}

class Unpacker {
  #before = NONE;
  #left = PACKED_MAX;

  unpack(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((element) => this.unpack(element));
    if (!isPlain(value)) return value;
    if (!isMarked(value)) return mapValues(value, (field) => this.unpack(field));
    const packed = value[MARK];
    if (Array.isArray(packed)) return this.#spec(packed);
    if (!isPlain(packed)) throw malformed("no fields");
    return mapValues(packed, (field) => this.unpack(field));
  }

  #spec([name, difference, addresses, channels, metadata, since, key]: readonly unknown[]): Fields {
    if (this.#left-- === 0) throw malformed("too many");
    if (typeof difference !== "number") throw malformed("no incarnation");
    const incarnation = this.#before.incarnation + difference;
    this.#before = { incarnation, channels: unpackChannels(channels) ?? this.#before.channels };
    return {
      name,
      incarnation,
      ...isThere(since) && { since },
      ...isThere(key) && { key },
      addresses: unpackAddresses(addresses),
      channels: this.#before.channels,
      metadata: metadata ?? {},
    };
  }
}

function isThere(field: unknown): boolean {
  return field !== undefined && field !== null;
}

/** Whether a value has all that a specification has, and nothing else: what it has beyond that would be lost. */
function isSpec(value: object): value is NodeSpec {
  const { name, incarnation, since, key, addresses, channels, metadata } = value as Fields;
  if (typeof name !== "string" || !isIntegerIn(incarnation, 0, Number.MAX_SAFE_INTEGER)) return false;
  if (since !== undefined && !isIntegerIn(since, 0, incarnation)) return false;
  if (key !== undefined && !(key instanceof Uint8Array)) return false;
  if (!Array.isArray(addresses) || !addresses.every(isAddress)) return false;
  if (!isPlain(channels) || !Object.values(channels).every(isChannel) || !isPlain(metadata)) return false;
  const fields = 5 + Number("since" in value) + Number("key" in value);
  return Object.keys(value).length === fields;
}

function isAddress(value: unknown): value is Address {
  if (!isPlain(value) || Object.keys(value).length !== 2) return false;
  return typeof value.hostname === "string" && isIntegerIn(value.port, 0, PORT_MAX);
}

function isChannel(value: unknown): value is ChannelSpec {
  if (!isPlain(value) || Object.keys(value).length !== 3 || !isIntegerIn(value.parallelism, 0, PORT_MAX)) return false;
  return typeof value.monotonic === "boolean" && typeof value.compression === "boolean";
}

function packAddresses(addresses: readonly Address[]): unknown {
  const bytes = addresses.flatMap(({ hostname, port }) => [...parseIpv4(hostname) ?? [], port >> 8, port & 0xff]);
  if (bytes.length === IPV4_BYTES * addresses.length) return new Uint8Array(bytes);
  return addresses.flatMap(({ hostname, port }) => [hostname, port]);
}

function unpackAddresses(packed: unknown): Partial<Address>[] {
  if (packed instanceof Uint8Array) {
    if (packed.length % IPV4_BYTES !== 0) throw malformed("half an address");
    return Array.from({ length: packed.length / IPV4_BYTES }, (_, index) => {
      const address = packed.subarray(IPV4_BYTES * index, IPV4_BYTES * (index + 1));
      return { hostname: address.subarray(0, 4).join("."), port: 256 * address[4]! + address[5]! };
    });
  }
  if (!Array.isArray(packed) || packed.length % 2 !== 0) throw malformed("no addresses");
  return Array.from(
    { length: packed.length / 2 },
    (_, index) => ({ hostname: packed[2 * index], port: packed[2 * index + 1] }),
  );
}

function unpackChannels(packed: unknown): Fields | undefined {
  if (!isThere(packed)) return undefined;
  if (!isPlain(packed)) throw malformed("no channels");
  return mapValues(packed, (number) => {
    if (!isIntegerIn(number, 0, 4 * PORT_MAX + 3)) throw malformed("a channel that is none");
    return channelFromNumber(number);
  });
}

function areSameChannels(channels: NodeSpec["channels"], others: unknown): boolean {
  if (others === undefined || channels === others) return channels === others;
  const known = others as NodeSpec["channels"];
  const names = Object.keys(channels);
  return names.length === Object.keys(known).length && names.every((name) => {
    const other = Object.hasOwn(known, name) ? known[name] : undefined;
    return other !== undefined && channelToNumber(channels[name]!) === channelToNumber(other);
  });
}

function isMarked(value: object): value is { readonly [MARK]: unknown } {
  return Object.hasOwn(value, MARK) && Object.keys(value).length === 1;
}

function malformed(detail: string): TypeError {
  return new TypeError(`Malformed specification: ${detail}`);
}
