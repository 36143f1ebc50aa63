// Copyright 2026 the Partisan peer-service authors. MIT license.

/** 64 bits as two unsigned 32-bit integers: enough to tell two states apart, in a few bytes. */
export interface Digest {
  /** The upper 32 bits. */
  readonly high: number;
  /** The lower 32 bits. */
  readonly low: number;
}

/**
 * Hashes a string to an unsigned 32-bit integer, the same one on every node and in every version.
 *
 * Good at spreading (FNV-1a over UTF-16 code units, then an avalanche), useless against an adversary.
 *
 * @param text Text to hash.
 * @param seed Another seed gives an unrelated hash.
 * @returns An integer from 0 to 2³² - 1.
 *
 * @example Picking one of several connections by a key
 * ```ts
 * import { hashString } from "@partisan/peer-service/membership";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(hashString("user-42") % 4, hashString("user-42") % 4);
 * ```
 */
export function hashString(text: string, seed = 0): number {
  return avalanche(hashText(OFFSET ^ seed, text));
}

/** Collects strings and integers, in order, into a {@linkcode Digest}. */
export class DigestBuilder {
  #high = OFFSET;
  #low = OTHER_OFFSET;

  /** Adds a string. */
  addText(text: string): void {
    this.#high = hashText(this.#high, text);
    this.#low = hashText(this.#low, text, OTHER_PRIME);
    this.addInteger(text.length);
  }

  /** Adds a safe integer that is not negative. */
  addInteger(integer: number): void {
    const lower = integer >>> 0;
    const upper = Math.floor(integer / 0x1_0000_0000);
    this.#high = avalanche(Math.imul(this.#high ^ lower, PRIME) + upper);
    this.#low = avalanche(Math.imul(this.#low ^ upper, OTHER_PRIME) + lower);
  }

  /** The digest of all that was added so far. */
  digest(): Digest {
    return { high: avalanche(this.#high), low: avalanche(this.#low) };
  }
}

/** The parameters of 32-bit FNV-1a. */
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
/** Another beginning and another odd factor, so that the two halves of a digest are unrelated. */
const OTHER_OFFSET = 0x3c6ef372;
const OTHER_PRIME = 0x2545f491;

/** A number of 32 bits for a name: names that differ in the last digit only lie far apart. */
export function hashName(name: string): number {
  return avalanche(hashText(OFFSET, name));
}

function hashText(hash: number, text: string, prime = PRIME): number {
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), prime);
  return hash;
}

/** Lets every bit of the input reach every bit of the result (the finalizer of MurmurHash3). */
function avalanche(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
