// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeIncarnation } from "../wire/node_spec.ts";
import { forgetOldest } from "../runtime/forget_oldest.ts";

/** Names of which the last incarnation to leave is remembered. */
const NAMES_MAX = 1_024;

/** Tombstones of the incarnations that have left the cluster for good, while connections with them may still be open. */
export class Tombstones {
  readonly #newest = new Map<string, number>();

  /** Remembers that an incarnation, and every one before it, has left. */
  add({ name, incarnation }: NodeIncarnation): void {
    const newest = Math.max(incarnation, this.#newest.get(name) ?? incarnation);
    this.#newest.delete(name);
    this.#newest.set(name, newest);
    forgetOldest(this.#newest, NAMES_MAX);
  }

  /** Whether any incarnation of that name has left. */
  knows(name: string): boolean {
    return this.#newest.has(name);
  }

  /** Whether an incarnation has left. */
  has({ name, incarnation }: NodeIncarnation): boolean {
    // Asked for every message, and mostly there is none.
    return this.#newest.size > 0 && incarnation <= (this.#newest.get(name) ?? -1);
  }
}
