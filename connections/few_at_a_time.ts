// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Does pieces of work in the order in which they come, a few at a time. */
export class FewAtATime {
  readonly #limit: number;
  #waiting: ((isWanted: boolean) => void)[] = [];
  #running = 0;

  /** @param limit Maximum at a time. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Does a piece of work once it is its turn. Resolves when that is done, or {@linkcode forget} has come before it began. */
  async run(work: () => Promise<void>): Promise<void> {
    if (this.#running < this.#limit) this.#running++;
    else if (!await new Promise<boolean>((resolve) => this.#waiting.push(resolve))) return;
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next(true);
    }
  }

  /** Drops what has not begun. */
  forget(): void {
    for (const drop of this.#waiting.splice(0)) drop(false);
  }
}
