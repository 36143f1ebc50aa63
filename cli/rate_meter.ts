// Copyright 2026 the Partisan peer-service authors. MIT license.

const WINDOW_MS = 1_000;

/** Turns a count that only grows into a rate over about the last second. */
export class RateMeter {
  readonly #samples: { readonly at: number; readonly count: number }[] = [];

  /**
   * Takes the present count.
   *
   * @param at Milliseconds; never less than before.
   * @returns The rate per second; 0 until two counts are known.
   */
  update(at: number, count: number): number {
    this.#samples.push({ at, count });
    // The oldest sample stays just outside of the window, so that the rate covers all of it.
    while (this.#samples.length > 2 && this.#samples[1]!.at <= at - WINDOW_MS) this.#samples.shift();
    const oldest = this.#samples[0]!;
    return at === oldest.at ? 0 : (count - oldest.count) * 1_000 / (at - oldest.at);
  }
}
