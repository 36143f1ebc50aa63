// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Work that has begun and not ended: the code that gives it up can wait until it has really let go. */
export class Unfinished {
  readonly #work = new Set<Promise<unknown>>();

  /** Takes note of a piece of work. @returns The same. */
  add<T>(work: Promise<T>): Promise<T> {
    const end = () => void this.#work.delete(work);
    this.#work.add(work);
    work.then(end, end);
    return work;
  }

  /** Number of pieces under way. */
  get size(): number {
    return this.#work.size;
  }

  /** Resolves once all of it has ended, well or badly. */
  async finished(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
