// Copyright 2026 the Partisan peer-service authors. MIT license.

import { createCipheriv } from "node:crypto";
import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { CipherState, SealError } from "../../../connections/noise/cipher_state.ts";
import { open } from "../../../connections/noise/primitives.ts";
import { concat, pattern } from "../fake_stream.ts";

const NOTHING = new Uint8Array();

function seal(cipher: CipherState, plain: Uint8Array, associated = NOTHING): Uint8Array {
  const target = new Uint8Array(plain.length + cipher.overhead);
  assertEquals(cipher.sealInto(associated, plain, target, 0), target.length);
  return target;
}

Deno.test("CipherState seals as RFC 8439 says", () => {
  // The key of section 2.8.2 with the nonce of Noise's first message is no published vector; zeros are (appendix A.1, test vector 1).
  const sealed = seal(new CipherState(new Uint8Array(32)), new Uint8Array(16));
  // Poly1305 takes the first block, so the text is encrypted with the second one (appendix A.1, test vector 2).
  assertEquals(
    sealed.subarray(0, 16),
    Uint8Array.of(0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d),
  );
});

Deno.test("CipherState opens each seal once, in the order in which they were made, and nothing else", () => {
  const key = pattern(32);
  const [writer, reader] = [new CipherState(key), new CipherState(key)];
  const seals = [0, 1, 2, 3].map((size) => seal(writer, pattern(size * 50)));
  const refuse = (sealed: Uint8Array, associated = NOTHING) =>
    assertThrows(() => reader.open(associated, sealed), SealError);
  for (const [at, sealed] of seals.entries()) {
    for (const [other, wrong] of seals.entries()) if (other !== at) refuse(wrong);
    for (let length = 0; length < sealed.length; length++) refuse(sealed.subarray(0, length));
    refuse(concat(sealed, NOTHING, Uint8Array.of(0)));
    refuse(sealed, Uint8Array.of(1));
    assertEquals(reader.open(NOTHING, sealed), pattern(at * 50));
  }
});

Deno.test("CipherState.rekey() changes the key as the Noise specification says, on both sides alike", () => {
  const key = pattern(32);
  const [writer, reader] = [new CipherState(key), new CipherState(key)];
  seal(writer, NOTHING);
  reader.open(NOTHING, seal(new CipherState(key), NOTHING));
  writer.rekey();
  // Section 4.2: the first 32 bytes of what 32 zeros become under the greatest nonce.
  const cipher = createCipheriv("chacha20-poly1305", key, new Uint8Array(12).fill(0xff, 4), { authTagLength: 16 });
  const next = new Uint8Array(cipher.update(new Uint8Array(32)));
  cipher.final();
  assertEquals(open(next, 1, NOTHING, seal(writer.clone(), pattern(3))), pattern(3));
  const sealed = seal(writer, pattern(9));
  assertThrows(() => reader.open(NOTHING, sealed), SealError);
  reader.rekey();
  assertEquals(reader.open(NOTHING, sealed), pattern(9));
  assertEquals([writer.counter, reader.counter], [2, 2]);
});

Deno.test("CipherState counts in more than 32 bits", () => {
  const key = pattern(32);
  const body = seal(new CipherState(key), pattern(5));
  assertEquals(open(key, 0, NOTHING, body), pattern(5));
  for (const counter of [1, 2 ** 32, 2 ** 40, 2 ** 53 - 1]) assertEquals(open(key, counter, NOTHING, body), null);
});

Deno.test("CipherState without a key changes nothing", () => {
  const cipher = new CipherState(null);
  assertEquals(seal(cipher, pattern(3)), pattern(3));
  assertEquals(cipher.open(NOTHING, pattern(3)), pattern(3));
  assertNotEquals(seal(new CipherState(pattern(32)), pattern(3)), pattern(3));
});
