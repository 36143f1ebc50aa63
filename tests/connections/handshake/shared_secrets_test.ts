// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertNotEquals, assertThrows } from "@std/assert";
import {
  equalInConstantTime,
  importSecrets,
  proofs,
  SECRETS_MAX,
} from "../../../connections/handshake/shared_secrets.ts";
import { bareRuntime } from "../bare_runtime.ts";
import { concat, pattern } from "../fake_stream.ts";

const runtime = bareRuntime();
const TRANSCRIPT = pattern(100);

Deno.test("proofs() are HMAC-SHA-256 over the role and the transcript, one for each secret in order", async () => {
  const found = await proofs(runtime, await importSecrets(runtime, ["x", "y"]), "dialler", TRANSCRIPT);
  const expected = await Promise.all(["x", "y"].map(async (secret) => {
    const bytes = new TextEncoder().encode(secret);
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const signed = concat(new TextEncoder().encode("partisan dialler\0"), TRANSCRIPT);
    return new Uint8Array(await crypto.subtle.sign("HMAC", key, signed));
  }));
  assertEquals(found, expected);
});

Deno.test("proofs() differ by role, by transcript and by secret", async () => {
  const secrets = await importSecrets(runtime, ["x", "y"]);
  const [x, y] = await proofs(runtime, secrets, "dialler", TRANSCRIPT);
  assertNotEquals(x, y);
  assertNotEquals([x, y], await proofs(runtime, secrets, "acceptor", TRANSCRIPT));
  assertNotEquals([x, y], await proofs(runtime, secrets, "dialler", pattern(100, 1)));
});

Deno.test("importSecrets() refuses an empty secret, and too many", async () => {
  assertThrows(() => importSecrets(runtime, ["x", ""]), RangeError, "one of them is empty");
  const many = Array.from({ length: SECRETS_MAX + 1 }, (_, index) => `secret ${index}`);
  assertThrows(
    () => importSecrets(runtime, many),
    RangeError,
    `there are ${SECRETS_MAX + 1}, the limit is ${SECRETS_MAX}`,
  );
  assertEquals((await importSecrets(runtime, many.slice(1))).length, SECRETS_MAX);
});

Deno.test("importSecrets() gives keys that cannot be read out", async () => {
  const [key] = await importSecrets(runtime, ["s3cret"]);
  assertEquals(key!.extractable, false);
});

Deno.test("equalInConstantTime() finds any difference, also in length", () => {
  const bytes = pattern(32);
  assert(equalInConstantTime(bytes, pattern(32)));
  assert(equalInConstantTime(new Uint8Array(), new Uint8Array()));
  assertFalse(equalInConstantTime(bytes, bytes.subarray(1)));
  assertFalse(equalInConstantTime(bytes, concat(bytes, new Uint8Array(1))));
  for (let bit = 0; bit < 256; bit++) {
    const other = pattern(32);
    other[bit >> 3]! ^= 1 << (bit & 7);
    assertFalse(equalInConstantTime(bytes, other));
  }
});
