// Copyright 2026 the Partisan peer-service authors. MIT license.

interface Operation {
  readonly settled: Promise<void>;
  readonly pass: () => void;
}

/**
 * Makes operations that finish outside the event loop, at times that cannot be foreseen, part of a history that
 * repeats itself: their results come out in the order in which they were begun, and each only when all that the one before
 * it has set off has been done.
 */
export class OutsideQueue {
  readonly #operations: Operation[] = [];
  readonly #turn: () => Promise<void>;
  #passing: Promise<void> | undefined;

  /** @param turn Resolves when all microtasks are done. */
  constructor(turn: () => Promise<void>) {
    this.#turn = turn;
  }

  /** Passes the result of `operation` on when its turn has come. */
  add<T>(operation: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settled = operation.then(() => {}, () => {});
      this.#operations.push({ settled, pass: () => operation.then(resolve, reject) });
      this.#passing ??= this.#passAll();
    });
  }

  /** Resolves once nothing waits; `undefined` when nothing does. */
  get busy(): Promise<void> | undefined {
    return this.#passing;
  }

  async #passAll(): Promise<void> {
    for (let next = this.#operations.shift(); next !== undefined; next = this.#operations.shift()) {
      await next.settled;
      await this.#turn();
      next.pass();
      await this.#turn();
    }
    this.#passing = undefined;
  }
}
