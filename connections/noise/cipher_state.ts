// Copyright 2026 the Partisan peer-service authors. MIT license.

import { KEY_BYTES, open, REKEY_COUNTER, seal, TAG_BYTES } from "./primitives.ts";

const NOTHING = new Uint8Array();

/** Numbers are exact up to here, and no connection lives to see it. */
const COUNTER_MAX = Number.MAX_SAFE_INTEGER;
const ZEROS = new Uint8Array(KEY_BYTES);

/**
 * Error for bytes that the other side has not sealed for this connection.
 *
 * - `forged`: changed on the way, repeated, out of order, left out, or made by a third party.
 * - `truncated`: the stream ended before the other side had said so. A crash and a cut cable look the same.
 *
 * Nothing of what was changed reaches a handler, and the connection is made anew. An `error` event tells what was forged.
 *
 * @example Notice an attacker in between
 * ```ts
 * import { SealError, startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await startPeerService({ secret: "correct horse battery staple" });
 * const forged: unknown[] = [];
 * node.addEventListener("error", ({ detail: { error } }) => {
 *   if (error instanceof SealError && error.code === "forged") forged.push(error);
 * });
 * assertEquals(forged, []);
 * ```
 */
export class SealError extends Error {
  /** Always `"SealError"`. */
  override readonly name = "SealError";
  /** Fault of the bytes. */
  readonly code: "forged" | "truncated";

  /** Says what was tried, and what is wrong. */
  constructor(message: string, code: "forged" | "truncated" = "forged", options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A key and the counter of what it has sealed: the CipherState of the Noise specification, section 5.1. */
export class CipherState {
  #key: Uint8Array | null;
  #counter = 0;

  /** @param key `null` as long as no key is agreed upon: then nothing is encrypted. */
  constructor(key: Uint8Array | null) {
    this.#key = key;
  }

  /** Whether there is a key. */
  get hasKey(): boolean {
    return this.#key !== null;
  }

  /** Number of messages that it has sealed or opened. */
  get counter(): number {
    return this.#counter;
  }

  /** Bytes that sealing adds. */
  get overhead(): number {
    return this.#key === null ? 0 : TAG_BYTES;
  }

  /** Seals `plain` into `target`, from `at` on. @returns Its end. */
  sealInto(associated: Uint8Array, plain: Uint8Array, target: Uint8Array, at: number): number {
    if (this.#key !== null) return seal(this.#key, this.#next(), associated, plain, target, at);
    target.set(plain, at);
    return at + plain.length;
  }

  /**
   * Opens what the other side has sealed.
   *
   * @throws {SealError} When it is something else. The counter stays where it is.
   */
  open(associated: Uint8Array, sealed: Uint8Array): Uint8Array {
    if (this.#key === null) return sealed;
    const counter = this.#next();
    const plain = open(this.#key, counter, associated, sealed);
    if (plain !== null) return plain;
    this.#counter = counter;
    throw new SealError("Cannot open a record: it was changed on the way, or is not for this connection");
  }

  /** Goes on with another key, from which the present one cannot be found: REKEY of section 4.2. The counter goes on. */
  rekey(): void {
    if (this.#key === null) return;
    const target = new Uint8Array(KEY_BYTES + TAG_BYTES);
    seal(this.#key, REKEY_COUNTER, NOTHING, ZEROS, target, 0);
    this.#key = target.slice(0, KEY_BYTES);
  }

  /** The same key and counter once more. */
  clone(): CipherState {
    const copy = new CipherState(this.#key);
    copy.#counter = this.#counter;
    return copy;
  }

  #next(): number {
    if (this.#counter >= COUNTER_MAX) throw new SealError("Cannot seal: the counter has come to its end");
    return this.#counter++;
  }
}
