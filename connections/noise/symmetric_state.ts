// Copyright 2026 the Partisan peer-service authors. MIT license.

import { CipherState } from "./cipher_state.ts";
import { deriveKeys, hash, HASH_BYTES } from "./primitives.ts";

const NOTHING = new Uint8Array();

/** Keys and hash that both sides have agreed upon so far: the SymmetricState of the Noise specification, section 5.2. */
export class SymmetricState {
  #cipher = new CipherState(null);
  #chainingKey: Uint8Array;
  #hash: Uint8Array;

  /** @param protocol The name of the protocol, such as `"Noise_XXpsk3_25519_ChaChaPoly_SHA256"`. */
  constructor(protocol: string) {
    const name = new TextEncoder().encode(protocol);
    if (name.length <= HASH_BYTES) {
      this.#hash = new Uint8Array(HASH_BYTES);
      this.#hash.set(name);
    } else {
      this.#hash = hash(name, NOTHING);
    }
    this.#chainingKey = this.#hash;
  }

  /** The hash of all that was said: differs between any two handshakes. */
  get handshakeHash(): Uint8Array {
    return this.#hash;
  }

  /** Whether what is sealed now is encrypted. */
  get hasKey(): boolean {
    return this.#cipher.hasKey;
  }

  /** Bytes that sealing adds now. */
  get overhead(): number {
    return this.#cipher.overhead;
  }

  /** MixKey. */
  mixKey(material: Uint8Array): void {
    const [chainingKey, key] = deriveKeys(this.#chainingKey, material, 2);
    this.#chainingKey = chainingKey!;
    this.#cipher = new CipherState(key!);
  }

  /** MixHash. */
  mixHash(data: Uint8Array): void {
    this.#hash = hash(this.#hash, data);
  }

  /** MixKeyAndHash: how a pre-shared key comes in (section 9.2). */
  mixKeyAndHash(material: Uint8Array): void {
    const [chainingKey, mixed, key] = deriveKeys(this.#chainingKey, material, 3);
    this.#chainingKey = chainingKey!;
    this.mixHash(mixed!);
    this.#cipher = new CipherState(key!);
  }

  /** EncryptAndHash, into `target` from `at` on. @returns Its end. */
  encryptAndHash(plain: Uint8Array, target: Uint8Array, at: number): number {
    const end = this.#cipher.sealInto(this.#hash, plain, target, at);
    this.mixHash(target.subarray(at, end));
    return end;
  }

  /**
   * DecryptAndHash.
   *
   * @throws {SealError} When it was not encrypted by someone who has heard and knows the same.
   */
  decryptAndHash(sealed: Uint8Array): Uint8Array {
    const plain = this.#cipher.open(this.#hash, sealed);
    this.mixHash(sealed);
    return plain;
  }

  /** Split: the ciphers of what the initiator sends, and of what the responder does. */
  split(): [CipherState, CipherState] {
    const [first, second] = deriveKeys(this.#chainingKey, NOTHING, 2);
    return [new CipherState(first!), new CipherState(second!)];
  }

  /** The same state once more: a try that fails leaves the original as it was. */
  clone(): SymmetricState {
    const copy = new SymmetricState("");
    copy.#cipher = this.#cipher.clone();
    copy.#chainingKey = this.#chainingKey;
    copy.#hash = this.#hash;
    return copy;
  }
}
