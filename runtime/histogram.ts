// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Takes each value that a {@linkcode Histogram} is given. */
export type Tap = (value: number) => void;

/** Distribution of values over fixed ranges. Recording allocates nothing. */
export class Histogram {
  /** Upper ends of the ranges, ascending; what is above the last one counts too. */
  readonly bounds: readonly number[];
  /** Also told of each value, as long as that is wanted. */
  readonly taps: Set<Tap> = new Set();
  readonly #counts: Float64Array;
  #count = 0;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length);
  }

  /** Number of values recorded. */
  get count(): number {
    return this.#count;
  }

  /** All values together. */
  get sum(): number {
    return this.#sum;
  }

  /** Takes a value. */
  record(value: number): void {
    const { bounds } = this;
    this.#count++;
    this.#sum += value;
    for (let range = 0; range < bounds.length; range++) {
      if (value > bounds[range]!) continue;
      this.#counts[range]!++;
      break;
    }
    if (this.taps.size > 0) { for (const tap of this.taps) tap(value); }
  }

  /** For each bound, how many values were not above it. */
  cumulative(): number[] {
    let below = 0;
    return Array.from(this.#counts, (count) => below += count);
  }
}
