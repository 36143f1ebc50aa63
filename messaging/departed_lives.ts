// Copyright 2026 the Partisan peer-service authors. MIT license.

/** One life of a node. */
interface Life {
  readonly name: string;
  readonly incarnation: number;
}

/** Names of which the last life to leave is remembered. */
const NAMES_MAX = 1_024;

/** Lives that have left the cluster for good, while connections with them may linger. */
export class DepartedLives {
  readonly #newest = new Map<string, number>();

  /** Remembers that a life, and every one before it, has left. */
  add({ name, incarnation }: Life): void {
    const newest = Math.max(incarnation, this.#newest.get(name) ?? incarnation);
    this.#newest.delete(name);
    this.#newest.set(name, newest);
    if (this.#newest.size > NAMES_MAX) this.#newest.delete(this.#newest.keys().next().value!);
  }

  /** Whether any life of that name has left. */
  knows(name: string): boolean {
    return this.#newest.has(name);
  }

  /** Whether a life has left. */
  has({ name, incarnation }: Life): boolean {
    // Asked for every message, and mostly nobody has.
    return this.#newest.size > 0 && incarnation <= (this.#newest.get(name) ?? -1);
  }
}
