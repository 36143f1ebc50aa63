// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Address, formatAddress } from "../../wire/address.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import { readU16, readU32 } from "../../wire/integers.ts";
import { readText } from "../../wire/message_pack_text.ts";
import type { Refusal } from "./refusal.ts";

/*
 * The body of a hello, which is read before anything about the dialer is known:
 *
 *     "PSPS" | u16 oldest version | u16 newest version | u8 sealed | u16 length | name of the cluster, UTF-8 | the rest
 *
 * Integers are big endian. This layout stays the same in all versions, so that any two can tell each other why they cannot talk. The rest is the
 * first message of the Noise handshake where `sealed` is 1, and empty where it is 0.
 */

/** The oldest and the newest version of the protocol that this release speaks. */
export const PROTOCOL_VERSIONS: Versions = [2, 2];

/** The largest hello, in bytes. */
export const HELLO_BYTES_MAX = 4096;

const UTF8 = new TextEncoder();
const MAGIC = UTF8.encode("PSPS");
const OLDEST_AT = 4;
const NEWEST_AT = 6;
const SEALED_AT = 8;
const LENGTH_AT = 9;
const CLUSTER_AT = 11;

/** The oldest and the newest version of the protocol that a node speaks. */
export type Versions = readonly [oldest: number, newest: number];

/** Part of a dialer's first message that is in the clear. */
export interface Hello {
  readonly versions: Versions;
  /** Whether the dialer has a secret, and all that follows is sealed. */
  readonly sealed: boolean;
  readonly cluster: string;
}

/** Packs a hello, without the rest. */
export function encodeHello(hello: Hello): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(CLUSTER_AT + hello.cluster.length);
  writeHello(writer, hello);
  return writer.bytes.slice(0, writer.length);
}

/** Appends a hello, without the rest, to what a writer holds. */
export function writeHello(writer: ByteWriter, { versions, sealed, cluster }: Hello): void {
  const name = UTF8.encode(cluster);
  writer.raw(MAGIC);
  writer.u16(versions[0]);
  writer.u16(versions[1]);
  writer.u8(sealed ? 1 : 0);
  writer.u16(name.length);
  writer.raw(name);
}

/**
 * Unpacks a hello.
 *
 * @returns It, the bytes that it took, and the rest.
 * @throws {ProtocolError} When it is none.
 */
export function decodeHello(body: Uint8Array): Hello & { readonly clear: Uint8Array; readonly rest: Uint8Array } {
  if (body.length < CLUSTER_AT || readU32(body, 0) !== readU32(MAGIC, 0)) throw malformedHello();
  const end = CLUSTER_AT + readU16(body, LENGTH_AT);
  const versions: Versions = [readU16(body, OLDEST_AT), readU16(body, NEWEST_AT)];
  const sealed = body[SEALED_AT]!;
  if (end > body.length || sealed > 1 || versions[0] > versions[1]) throw malformedHello();
  const cluster = readText(body, CLUSTER_AT, end);
  return { versions, sealed: sealed === 1, cluster, clear: body.subarray(0, end), rest: body.subarray(end) };
}

/** The newest version that both speak, or `null`. */
export function commonVersion(ours: Versions, theirs: Versions): number | null {
  const newest = Math.min(ours[1], theirs[1]);
  return newest >= Math.max(ours[0], theirs[0]) ? newest : null;
}

/**
 * Whether a dialer and this node belong together, as far as the hello says.
 *
 * @returns Reason why not, or `null`. A node with a secret tells a stranger nothing about itself.
 */
export function judgeHello(hello: Hello, ours: Hello, at: Address): Refusal | null {
  const refuse = (code: Refusal["code"], what: string, found: unknown, expected: unknown): Refusal => ({
    code,
    reason: `Cannot accept ${formatAddress(at)}: ${what} is ${found}` + (ours.sealed ? "" : `, expected ${expected}`),
  });
  if (commonVersion(ours.versions, hello.versions) === null) {
    return refuse("version", "protocol version", hello.versions.join(" to "), ours.versions.join(" to "));
  }
  if (hello.cluster !== ours.cluster) {
    return refuse("cluster", "cluster", `"${hello.cluster.slice(0, 64)}"`, `"${ours.cluster}"`);
  }
  if (hello.sealed !== ours.sealed) return refuse("secret", "use of a secret", hello.sealed, ours.sealed);
  return null;
}

function malformedHello(): ProtocolError {
  return new ProtocolError("Cannot finish the handshake: the hello is malformed");
}
