// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../../runtime/runtime.ts";

/** Most secrets that a node accepts at a time. */
export const SECRETS_MAX = 8;

/** Imported keys, the preferred one first. Several are accepted at a time, so that they can be rotated. */
export type SharedSecrets = readonly CryptoKey[];

/**
 * Imports secrets for HMAC-SHA-256.
 *
 * @throws {RangeError} When there are too many, or an empty one.
 */
export function importSecrets(runtime: Runtime, secrets: readonly string[]): Promise<SharedSecrets> {
  if (secrets.length > SECRETS_MAX) {
    throw new RangeError(`Cannot use the secrets: there are ${secrets.length}, the limit is ${SECRETS_MAX}`);
  }
  if (secrets.includes("")) throw new RangeError("Cannot use the secrets: one of them is empty");
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return runtime.outside(Promise.all(
    secrets.map((secret) =>
      crypto.subtle.importKey("raw", new TextEncoder().encode(secret), algorithm, false, ["sign"])
    ),
  ));
}

/**
 * What proves knowledge of each secret for one handshake. The role keeps a proof from being sent back as an answer; the transcript
 * holds both nonces, which keeps it from being used twice.
 */
export function proofs(
  runtime: Runtime,
  secrets: SharedSecrets,
  role: "dialler" | "acceptor",
  transcript: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array[]> {
  const label = new TextEncoder().encode(`partisan ${role}\0`);
  const data = new Uint8Array(label.length + transcript.length);
  data.set(label);
  data.set(transcript, label.length);
  return runtime.outside(Promise.all(
    secrets.map(async (key) => new Uint8Array(await crypto.subtle.sign("HMAC", key, data))),
  ));
}

/** Compares without telling by its duration where the first difference lies. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
