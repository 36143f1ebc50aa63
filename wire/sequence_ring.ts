// Copyright 2026 the Partisan peer-service authors. MIT license.

const SLOTS_MIN = 64;

/**
 * Values by number: each new one gets the next number, and the oldest go first, by and large.
 *
 * An array, used in a circle. A `Map` would do the same, but V8's leaves its old table behind whenever it makes room, with a
 * reference to the new one. Once such a table has grown old, it keeps all that were ever made after it, and all that was in them,
 * until the next full garbage collection: a steady stream of messages spent a third of its time on copying those that were done.
 */
export class SequenceRing<T> {
  #slots: (T | undefined)[] = new Array(SLOTS_MIN).fill(undefined);
  #floor: number;
  #next: number;

  /** @param first The number of the first value. */
  constructor(first: number) {
    this.#floor = this.#next = first;
  }

  /** The number of the next value. */
  get next(): number {
    return this.#next;
  }

  /** The lowest number of a value that is there, or the next one when there is none. */
  get floor(): number {
    return this.#floor;
  }

  /** The value of that number, if it is there. */
  get(sequence: number): T | undefined {
    return sequence >= this.#floor && sequence < this.#next ? this.#slots[this.#place(sequence)] : undefined;
  }

  /** Puts a value behind all others. @returns Its number. */
  push(value: T): number {
    if (this.#next - this.#floor === this.#slots.length) this.#grow();
    this.#slots[this.#place(this.#next)] = value;
    return this.#next++;
  }

  /** Takes the value of that number out. @returns It, if it was there. */
  take(sequence: number): T | undefined {
    const value = this.get(sequence);
    if (value === undefined) return undefined;
    this.#slots[this.#place(sequence)] = undefined;
    // All that come after the lowest one and are gone already are passed over once, here, and not by each who asks.
    if (sequence === this.#floor) {
      do this.#floor++; while (this.#floor < this.#next && this.#slots[this.#place(this.#floor)] === undefined);
    }
    return value;
  }

  /** All values, in the order of their numbers. */
  values(): T[] {
    const values: T[] = [];
    for (let sequence = this.#floor; sequence < this.#next; sequence++) {
      const value = this.get(sequence);
      if (value !== undefined) values.push(value);
    }
    return values;
  }

  #place(sequence: number): number {
    return sequence & (this.#slots.length - 1);
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Array(2 * before.length).fill(undefined);
    for (let sequence = this.#floor; sequence < this.#next; sequence++) {
      this.#slots[this.#place(sequence)] = before[sequence & (before.length - 1)];
    }
  }
}
