// Copyright 2026 the Partisan peer-service authors. MIT license.

import { digestFromFields } from "./digest_value.ts";
import type { Digest } from "../wire/hash.ts";
import { checkArray, checkInteger, checkName } from "../wire/node_spec_check.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Most owners that one message may name. */
export const ATTRIBUTE_OWNERS_MAX = 20_000;
/** Most attributes of one owner. */
export const ATTRIBUTE_KEYS_MAX = 4_096;
/** Longest key, in UTF-16 code units. */
export const ATTRIBUTE_KEY_LENGTH_MAX = 255;

/** Most bytes of one value, whatever all together may take: a message of 1 MiB has to carry it. */
export const ATTRIBUTE_VALUE_BYTES_MAX = 983_040;

/** Version of an owner's attributes that a node knows: everything up to `version`. */
export interface AttributeVersion {
  /** Name of the owner. */
  readonly owner: string;
  /** Its incarnation. */
  readonly incarnation: number;
  /** Number of the owner's last change. */
  readonly version: number;
}

/** One attribute as its owner set it last. */
export interface VersionedAttribute {
  readonly key: string;
  /** Number of the change that set it. */
  readonly version: number;
  /** The encoded value. */
  readonly value: Uint8Array;
}

/** Changes that bring a node from version `from` of an owner's attributes to `version`. */
export interface AttributeDelta extends AttributeVersion {
  /** The receiver must know this version already. 0 needs nothing. */
  readonly from: number;
  /** Every attribute that was set after `from`, in order of versions. */
  readonly entries: readonly VersionedAttribute[];
  /**
   * Versions up to `from` of the attributes that still exist: the others were withdrawn. `null` when none was withdrawn after
   * `from`. With it no tombstone has to be kept.
   */
  readonly live: readonly number[] | null;
}

/** Messages about attributes. */
export type AttributeMessage =
  /** A hash of all versions known here. A node that knows others answers with a summary. */
  | { readonly kind: "digest"; readonly digest: Digest }
  /** All versions known here. The answer is a delta. */
  | { readonly kind: "summary"; readonly versions: readonly AttributeVersion[] }
  /** Changes; and owners of which the sender wants to know what comes after the versions that it names. */
  | {
    readonly kind: "delta";
    readonly deltas: readonly AttributeDelta[];
    readonly wanted: readonly AttributeVersion[];
  };

/** The numbers are part of the wire protocol: never reuse one. */
const DIGEST = 0;
const SUMMARY = 1;
const DELTA = 2;

/** A message as a value that MessagePack can carry: an array that begins with the number of its kind. */
export function attributesToValue(message: AttributeMessage): unknown[] {
  switch (message.kind) {
    case "digest":
      return [DIGEST, message.digest.high, message.digest.low];
    case "summary":
      return [SUMMARY, message.versions.flatMap(versionToValue)];
    case "delta":
      return [DELTA, message.deltas.map(deltaToValue), message.wanted.flatMap(versionToValue)];
  }
}

/**
 * The message of a value that {@linkcode attributesToValue} made, on whatever node.
 *
 * @throws {TypeError} When it is malformed, or something in it is out of bounds.
 */
export function attributesFromValue(value: unknown): AttributeMessage {
  try {
    return parse(checkArray(value, "attributes", 3));
  } catch (cause) {
    const reason = messageOf(cause);
    throw new TypeError(`Cannot read attributes: ${reason}`, { cause });
  }
}

function parse([kind, first, second]: readonly unknown[]): AttributeMessage {
  switch (kind) {
    case DIGEST:
      return { kind: "digest", digest: digestFromFields(first, second) };
    case SUMMARY:
      return { kind: "summary", versions: versionsFromValue(first) };
    case DELTA:
      return {
        kind: "delta",
        deltas: checkArray(first, "deltas", ATTRIBUTE_OWNERS_MAX).map(deltaFromValue),
        wanted: versionsFromValue(second),
      };
    default:
      throw new TypeError(`unknown kind ${String(kind)}`);
  }
}

function versionToValue({ owner, incarnation, version }: AttributeVersion): unknown[] {
  return [owner, incarnation, version];
}

function versionsFromValue(value: unknown): AttributeVersion[] {
  const fields = checkArray(value, "versions", 3 * ATTRIBUTE_OWNERS_MAX);
  if (fields.length % 3 !== 0) throw new TypeError("versions are no list of triples");
  return Array.from({ length: fields.length / 3 }, (_, index) => versionFromValue(fields, 3 * index));
}

function versionFromValue(fields: readonly unknown[], at: number): AttributeVersion {
  return {
    owner: checkName(fields[at], "owner"),
    incarnation: checkInteger(fields[at + 1], "incarnation", 0, Number.MAX_SAFE_INTEGER),
    version: checkInteger(fields[at + 2], "version", 0, Number.MAX_SAFE_INTEGER),
  };
}

function deltaToValue({ owner, incarnation, version, from, entries, live }: AttributeDelta): unknown[] {
  const flat = entries.flatMap(({ key, version, value }) => [key, version, value]);
  return [owner, incarnation, version, from, flat, live];
}

function deltaFromValue(value: unknown): AttributeDelta {
  const fields = checkArray(value, "delta", 6);
  const known = versionFromValue(fields, 0);
  const from = checkInteger(fields[3], "version", 0, known.version);
  const flat = checkArray(fields[4], "entries", 3 * ATTRIBUTE_KEYS_MAX);
  if (flat.length % 3 !== 0) throw new TypeError("entries are no list of triples");
  const entries: VersionedAttribute[] = [];
  let last = from;
  for (let at = 0; at < flat.length; at += 3) {
    const version = checkInteger(flat[at + 1], "version", last + 1, known.version);
    entries.push({ key: checkKey(flat[at]), version, value: checkBytes(flat[at + 2]) });
    last = version;
  }
  return { ...known, from, entries, live: fields[5] === null ? null : checkLive(fields[5], from) };
}

function checkLive(value: unknown, from: number): number[] {
  return checkArray(value, "versions", ATTRIBUTE_KEYS_MAX).map((version) => checkInteger(version, "version", 1, from));
}

/**
 * Checks that a value can be the key of an attribute.
 *
 * @throws {TypeError} When it is no string.
 * @throws {RangeError} When it is empty or too long.
 */
export function checkKey(value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`Invalid key: expected a string, got a ${typeof value}`);
  if (value.length === 0 || value.length > ATTRIBUTE_KEY_LENGTH_MAX) {
    throw new RangeError(`Invalid key: expected 1 to ${ATTRIBUTE_KEY_LENGTH_MAX} code units, got ${value.length}`);
  }
  return value;
}

function checkBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError("a value is not encoded");
  return value;
}
