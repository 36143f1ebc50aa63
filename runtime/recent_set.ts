// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * A set of numbers above 0 that keeps the one that was added last by itself: where nearly every number is deleted before the next one
 * comes, as that of a message whose handler does not wait, none is ever put into the table.
 */
export class RecentSet {
  readonly #rest = new Set<number>();
  /** 0 for none. */
  #last = 0;

  /** Number of those that are in it. */
  get size(): number {
    return this.#last === 0 ? this.#rest.size : this.#rest.size + 1;
  }

  /**
   * Puts a number in that is not there.
   *
   * @throws {RangeError} When it is not above 0.
   */
  add(value: number): void {
    if (!(value > 0)) throw new RangeError(`Cannot add ${value} to a recent set: expected a number above 0`);
    if (this.#last !== 0) this.#rest.add(this.#last);
    this.#last = value;
  }

  /** Whether a number is there. */
  has(value: number): boolean {
    return (value === this.#last && value !== 0) || this.#rest.has(value);
  }

  /** Takes a number out. @returns Whether it was there. */
  delete(value: number): boolean {
    if (value !== this.#last || value === 0) return this.#rest.delete(value);
    this.#last = 0;
    return true;
  }
}
