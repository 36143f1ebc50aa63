// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  scrypt,
} from "node:crypto";

/*
 * The only module that imports `node:crypto`: WebCrypto has no ChaCha20-Poly1305, and none of its operations is synchronous. What a
 * handshake and a sealed stream need of it is here, with plain bytes on both sides.
 */

/** Bytes of a key, public, private or shared. */
export const KEY_BYTES = 32;
/** Bytes that authenticate what is encrypted. */
export const TAG_BYTES = 16;
/** Bytes of a hash. */
export const HASH_BYTES = 32;

/** The counter that only REKEY uses: 2^64 - 1, which a number cannot tell from this. */
export const REKEY_COUNTER: number = 2 ** 64;

const CIPHER = "chacha20-poly1305";
const NONCE_BYTES = 12;
/** DER of an X25519 key up to its 32 bytes (RFC 8410). */
const PRIVATE_KEY_HEAD = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);
const PUBLIC_KEY_HEAD = Uint8Array.of(0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 0x21, 0);

/** 2^15: 75 ms and 32 MiB for each guess. */
const SCRYPT_COST = 2 ** 15;
const SCRYPT_BLOCK_SIZE = 8;
const SCRYPT_BYTES_MAX = 64 * 1024 * 1024;

/** An X25519 key pair. */
export interface KeyPair {
  /** Public half, which others may know. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** Agrees on a secret with the owner of another public key. */
  agree(publicKey: Uint8Array): Uint8Array<ArrayBuffer>;
}

/**
 * Makes the key pair of a private key.
 *
 * @param privateKey 32 random bytes.
 */
export function keyPair(privateKey: Uint8Array): KeyPair {
  const key = createPrivateKey({ key: der(PRIVATE_KEY_HEAD, privateKey), format: "der", type: "pkcs8" });
  const exported: Uint8Array = createPublicKey(key).export({ format: "der", type: "spki" });
  return {
    publicKey: Uint8Array.from(exported.subarray(PUBLIC_KEY_HEAD.length)),
    agree(publicKey) {
      const theirs = createPublicKey({ key: der(PUBLIC_KEY_HEAD, publicKey), format: "der", type: "spki" });
      return Uint8Array.from(diffieHellman({ privateKey: key, publicKey: theirs }));
    },
  };
}

/** SHA-256 of two pieces, one behind the other. */
export function hash(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(createHash("sha256").update(first).update(second).digest());
}

/**
 * HKDF of the Noise specification, section 4.3: HKDF-SHA-256 of RFC 5869 with the chaining key for a salt and no info.
 *
 * @param outputs Number of keys to derive: 2 or 3.
 */
export function deriveKeys(chainingKey: Uint8Array, material: Uint8Array, outputs: number): Uint8Array<ArrayBuffer>[] {
  const derived = hkdfSync("sha256", material, chainingKey, new Uint8Array(), outputs * HASH_BYTES);
  return Array.from({ length: outputs }, (_, at) => new Uint8Array(derived, at * HASH_BYTES, HASH_BYTES));
}

/**
 * ChaCha20-Poly1305 (RFC 8439) with the nonce of the Noise specification, section 12.3.
 *
 * @param target Buffer for ciphertext and tag, from `at` on.
 * @returns Their end.
 */
export function seal(
  key: Uint8Array,
  counter: number,
  associated: Uint8Array,
  plain: Uint8Array,
  target: Uint8Array,
  at: number,
): number {
  const cipher = createCipheriv(CIPHER, key, nonce(counter), { authTagLength: TAG_BYTES });
  if (associated.length > 0) cipher.setAAD(associated, { plaintextLength: plain.length });
  target.set(cipher.update(plain), at);
  cipher.final();
  target.set(cipher.getAuthTag(), at + plain.length);
  return at + plain.length + TAG_BYTES;
}

/**
 * Opens what {@linkcode seal} has made.
 *
 * @returns The plain bytes, or `null` when they, the key, the counter or the associated bytes are not those that were sealed.
 */
export function open(
  key: Uint8Array,
  counter: number,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  if (sealed.length < TAG_BYTES) return null;
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, nonce(counter), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(end));
  if (associated.length > 0) decipher.setAAD(associated, { plaintextLength: end });
  const plain = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
  } catch {
    return null;
  }
  // A Buffer would be one in everything that is cut out of it.
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
}

/** A key that takes long to try: scrypt (RFC 7914) of a secret. */
export function stretch(secret: Uint8Array, salt: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const options = { N: SCRYPT_COST, r: SCRYPT_BLOCK_SIZE, p: 1, maxmem: SCRYPT_BYTES_MAX };
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(Uint8Array.from(key));
      else reject(error);
    });
  });
}

/** 32 zero bits and the counter, little endian. */
function nonce(counter: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(NONCE_BYTES);
  if (counter === REKEY_COUNTER) return bytes.fill(0xff, 4);
  bytes[4] = counter;
  bytes[5] = counter >>> 8;
  bytes[6] = counter >>> 16;
  bytes[7] = counter >>> 24;
  if (counter > 0xffff_ffff) new DataView(bytes.buffer).setUint32(8, counter / 2 ** 32, true);
  return bytes;
}

function der(head: Uint8Array, key: Uint8Array): Buffer {
  if (key.length !== KEY_BYTES) {
    throw new RangeError(`Cannot use a key: it has ${key.length} bytes, expected ${KEY_BYTES}`);
  }
  return Buffer.concat([head, key]);
}
