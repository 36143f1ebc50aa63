// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Folds what happens into 64 bits: two runs with the same value had the same history. */
export class HistoryHash {
  readonly #time = new Float64Array(1);
  readonly #timeWords = new Uint32Array(this.#time.buffer);
  #low = 0x9e3779b9 | 0;
  #high = 0x7f4a7c15 | 0;

  /** Adds an event: when, of what kind, where, and how large. */
  add(time: number, kind: number, place: number, size: number): void {
    this.#time[0] = time;
    this.#mix(this.#timeWords[0] as number);
    this.#mix(this.#timeWords[1] as number);
    this.#mix(kind);
    this.#mix(place);
    this.#mix(size);
  }

  /** The value so far, as 16 hexadecimal digits. */
  toString(): string {
    return hex(this.#high) + hex(this.#low);
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x85ebca6b);
    this.#low ^= this.#low >>> 15;
    this.#high = (Math.imul(this.#high, 0xc2b2ae35) + this.#low) | 0;
    this.#high ^= this.#high >>> 13;
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
