// Copyright 2026 the Partisan peer-service authors. MIT license.

const WORD_BITS = 32;
/** Bits that a window begins with: in-order traffic never needs more. */
const BITS_MIN = 64;

/**
 * A set of sequence numbers, of which nearly all up to some number are in it: that number (the floor) and a ring of
 * bits for what lies ahead of it. The ring starts small and doubles up to `limit` when numbers come far out of order.
 *
 * Sequence numbers start at 1.
 */
export class SequenceWindow {
  readonly #limit: number;
  #floor = 0;
  #bits = new Uint32Array(BITS_MIN / WORD_BITS);
  #ahead = 0;

  /** @param limit Maximum distance of a number ahead of the floor: a power of two, at least 64. */
  constructor(limit: number) {
    if (limit < BITS_MIN || !Number.isInteger(Math.log2(limit))) {
      throw new RangeError(`Cannot make a window of ${limit}: the limit must be a power of two, at least ${BITS_MIN}`);
    }
    this.#limit = limit;
  }

  /** Every number up to this one is in the set; the next one is not. */
  get floor(): number {
    return this.#floor;
  }

  /** Whether `sequence` is in the set. */
  has(sequence: number): boolean {
    if (sequence <= this.#floor) return true;
    return this.#ahead > 0 && sequence - this.#floor <= this.#capacity() && this.#get(sequence);
  }

  /**
   * Adds `sequence`.
   *
   * @returns Whether it is new.
   * @throws {RangeError} When it lies more than the limit ahead of the floor.
   */
  add(sequence: number): boolean {
    if (this.has(sequence)) return false;
    if (sequence === this.#floor + 1) {
      this.#floor = sequence;
      this.#advance();
      return true;
    }
    if (sequence - this.#floor > this.#limit) {
      throw new RangeError(
        `Cannot add ${sequence} to a window: it is more than ${this.#limit} ahead of ${this.#floor}`,
      );
    }
    while (sequence - this.#floor > this.#capacity()) this.#grow();
    this.#flip(sequence);
    this.#ahead++;
    return true;
  }

  /** Adds every number up to `floor`. */
  raise(floor: number): void {
    if (floor <= this.#floor) return;
    if (floor - this.#floor >= this.#capacity()) {
      this.#bits.fill(0);
      this.#ahead = 0;
    }
    for (let sequence = this.#floor + 1; this.#ahead > 0 && sequence <= floor; sequence++) this.#clear(sequence);
    this.#floor = floor;
    this.#advance();
  }

  /** Moves the floor over the bits that follow it. */
  #advance(): void {
    while (this.#ahead > 0 && this.#get(this.#floor + 1)) {
      this.#floor++;
      this.#clear(this.#floor);
    }
  }

  #grow(): void {
    const before: number[] = [];
    const last = this.#floor + this.#capacity();
    for (let sequence = this.#floor + 1; before.length < this.#ahead && sequence <= last; sequence++) {
      if (this.#get(sequence)) before.push(sequence);
    }
    this.#bits = new Uint32Array(this.#bits.length * 2);
    for (const sequence of before) this.#flip(sequence);
  }

  #capacity(): number {
    return this.#bits.length * WORD_BITS;
  }

  #get(sequence: number): boolean {
    const bit = sequence % this.#capacity();
    return (this.#bits[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  #flip(sequence: number): void {
    const bit = sequence % this.#capacity();
    this.#bits[bit >>> 5]! ^= 1 << (bit & 31);
  }

  #clear(sequence: number): void {
    if (!this.#get(sequence)) return;
    this.#flip(sequence);
    this.#ahead--;
  }
}
