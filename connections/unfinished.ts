// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Work that has begun and not ended: the code that gives it up can wait until it has really let go. */
export class Unfinished {
  #size = 0;
  #emptied: PromiseWithResolvers<void> | null = null;

  /** Takes note of a piece of work. @returns The same. */
  add<T>(work: Promise<T>): Promise<T> {
    this.#size++;
    work.then(this.#end, this.#end);
    return work;
  }

  /** Number of pieces under way. */
  get size(): number {
    return this.#size;
  }

  /** Resolves once all of it has ended, well or badly. */
  async finished(): Promise<void> {
    while (this.#size > 0) await (this.#emptied ??= Promise.withResolvers()).promise;
  }

  readonly #end = (): void => {
    if (--this.#size > 0) return;
    this.#emptied?.resolve();
    this.#emptied = null;
  };
}
