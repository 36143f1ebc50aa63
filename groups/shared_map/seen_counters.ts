// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Counters of one actor that have been seen: all up to one, and those beyond a gap. */
export class SeenCounters {
  #contiguous: number;
  /** Ascending, all above `contiguous` + 1. */
  readonly #cloud: number[] = [];

  /** @param counters Counters beyond the contiguous ones, in any order. */
  constructor(contiguous = 0, counters: readonly number[] = []) {
    this.#contiguous = contiguous;
    for (const counter of counters.toSorted((a, b) => a - b)) this.add(counter);
  }

  /** Counters 1 to this one were all seen. */
  get contiguous(): number {
    return this.#contiguous;
  }

  /** Counters that were seen beyond a gap, ascending. */
  get cloud(): readonly number[] {
    return this.#cloud;
  }

  /** The highest that was seen; 0 when none was. */
  get top(): number {
    return this.#cloud.at(-1) ?? this.#contiguous;
  }

  /** Whether a counter was seen. */
  has(counter: number): boolean {
    if (counter <= this.#contiguous) return true;
    return this.#cloud.length > 0 && this.#cloud[this.#placeOf(counter)] === counter;
  }

  /** A counter was seen. */
  add(counter: number): void {
    if (counter <= this.#contiguous) return;
    if (counter === this.#contiguous + 1) return this.#advance(counter);
    const place = this.#placeOf(counter);
    if (this.#cloud[place] !== counter) this.#cloud.splice(place, 0, counter);
  }

  /** All that others have seen was seen. */
  join(other: SeenCounters): void {
    if (other.#contiguous > this.#contiguous) this.#advance(other.#contiguous);
    for (const counter of other.#cloud) this.add(counter);
  }

  /** All counters up to this one were seen. */
  #advance(contiguous: number): void {
    this.#contiguous = contiguous;
    let passed = this.#placeOf(contiguous + 1);
    while (this.#cloud[passed] === this.#contiguous + 1) {
      [this.#contiguous, passed] = [this.#contiguous + 1, passed + 1];
    }
    if (passed > 0) this.#cloud.splice(0, passed);
  }

  /** Place in the cloud of the first counter that is not below. Most come behind all others. */
  #placeOf(counter: number): number {
    const last = this.#cloud.at(-1);
    if (last === undefined || last < counter) return this.#cloud.length;
    let [low, high] = [0, this.#cloud.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#cloud[middle]! < counter) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
