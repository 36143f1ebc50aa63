// Copyright 2026 the Partisan peer-service authors. MIT license.

import { decode } from "../wire/message_pack_decode.ts";
import { encode } from "../wire/message_pack_encode.ts";
import { crc32 } from "../wire/checksum.ts";
import { checkInteger, checkName, checkObject } from "../wire/node_spec_check.ts";
import { messageOf } from "../runtime/message_of.ts";

/*
 * What is kept:
 *
 *     "PSSN" | u32 CRC-32 of all that follows | u32 version | MessagePack of the fields
 *
 * Integers are big endian. The checksum is in the same place in every version, so that a newer version is told from a damaged one.
 */

const MAGIC = new TextEncoder().encode("PSSN");
const CHECKSUM_AT = 4;
const VERSION_AT = 8;
const FIELDS_AT = 12;
/** Bytes of a private key. */
const IDENTITY_BYTES = 32;

/** The version that is written. */
export const SNAPSHOT_VERSION = 3;

/** Migrations of the fields of each earlier version to those of the next one. */
const MIGRATIONS = new Map<number, (fields: Fields) => Fields>([
  // Version 1 did not say when the membership began. Not after its own incarnation did.
  [1, (fields) => ({ ...fields, since: fields.incarnation })],
  // Up to version 2 nodes had no keys.
  [2, (fields) => ({ ...fields, identity: null })],
]);

type Fields = Readonly<Record<string, unknown>>;

/** State that a node keeps for its next incarnation. */
export interface Snapshot {
  /** The node's name. */
  readonly name: string;
  /** The incarnation that it had. */
  readonly incarnation: number;
  /** The incarnation with which its membership began; `null` when it had left, or was removed. */
  readonly since: number | null;
  /** Its private key, 32 bytes; `null` when it was never in a cluster with a secret. */
  readonly identity: Uint8Array | null;
  /** Name of the strategy that `members` is of. */
  readonly strategy: string;
  /** Result of the strategy's `snapshot`; `null` when there is nothing to go back to. */
  readonly members: unknown;
}

/** Packs a snapshot. */
export function encodeSnapshot({ name, incarnation, since, identity, strategy, members }: Snapshot): Uint8Array {
  const fields = encode({ name, incarnation, since, identity, strategy, members });
  const bytes = new Uint8Array(FIELDS_AT + fields.length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(VERSION_AT, SNAPSHOT_VERSION);
  bytes.set(fields, FIELDS_AT);
  view.setUint32(CHECKSUM_AT, crc32(bytes.subarray(VERSION_AT)));
  return bytes;
}

/**
 * Unpacks what {@linkcode encodeSnapshot} made, here or in an earlier version.
 *
 * @throws {SyntaxError} When it is damaged.
 * @throws {RangeError} When a newer version wrote it.
 */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < FIELDS_AT) throw damaged(`it has ${bytes.length} bytes, expected at least ${FIELDS_AT}`);
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) throw damaged("it does not begin like one");
  const checksum = crc32(bytes.subarray(VERSION_AT));
  const expected = view.getUint32(CHECKSUM_AT);
  if (checksum !== expected) throw damaged(`its checksum is ${hex(checksum)}, expected ${hex(expected)}`);
  const version = view.getUint32(VERSION_AT);
  if (version > SNAPSHOT_VERSION) {
    throw new RangeError(
      `Cannot read the snapshot: its version is ${version}, which a newer release wrote, expected at most ${SNAPSHOT_VERSION}`,
    );
  }
  try {
    return checkSnapshot(migrate(version, checkObject(decode(bytes.subarray(FIELDS_AT)), "snapshot")));
  } catch (error) {
    throw damaged(messageOf(error), error);
  }
}

function migrate(version: number, fields: Fields): Fields {
  for (; version < SNAPSHOT_VERSION; version++) {
    const migration = MIGRATIONS.get(version);
    if (migration === undefined) throw new TypeError(`Invalid version: ${version} never existed`);
    fields = migration(fields);
  }
  return fields;
}

function checkSnapshot({ name, incarnation, since, identity, strategy, members }: Fields): Snapshot {
  if (members === undefined) throw new TypeError("Invalid snapshot: the members are missing");
  // Leaves room for the next incarnation.
  const checked = checkInteger(incarnation, "incarnation", 0, Number.MAX_SAFE_INTEGER - 1);
  return {
    name: checkName(name, "name"),
    incarnation: checked,
    since: since === null ? null : checkInteger(since, "since", 0, checked),
    identity: identity === null ? null : checkIdentity(identity),
    strategy: checkName(strategy, "strategy"),
    members,
  };
}

function checkIdentity(value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length === IDENTITY_BYTES) return Uint8Array.from(value);
  throw new TypeError(`Invalid identity: expected ${IDENTITY_BYTES} bytes`);
}

function damaged(reason: string, cause?: unknown): SyntaxError {
  return new SyntaxError(`Cannot read the snapshot: ${reason}`, { cause });
}

function hex(checksum: number): string {
  return `0x${checksum.toString(16).padStart(8, "0")}`;
}
