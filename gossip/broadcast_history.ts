// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SequenceWindow } from "../wire/sequence_window.ts";
import type { BroadcastId } from "./broadcast_id.ts";

/** How far behind the newest broadcast of a root an older one may come. */
export const BROADCAST_WINDOW = 4_096;

/**
 * Which broadcasts have been seen: per root of the newest life only, and within a window behind its newest broadcast, below which
 * all count as seen. Of too many roots the one that was silent for longest is forgotten.
 */
export class BroadcastHistory {
  readonly #rootsMax: number;
  readonly #roots = new Map<string, { readonly incarnation: number; readonly seen: SequenceWindow }>();

  /** @param rootsMax How many roots are remembered. */
  constructor(rootsMax: number) {
    this.#rootsMax = rootsMax;
  }

  /** How many roots are remembered now. */
  get size(): number {
    return this.#roots.size;
  }

  /** Whether a broadcast has been seen, or counts as seen. */
  has({ root, incarnation, sequence }: BroadcastId): boolean {
    const known = this.#roots.get(root);
    if (known === undefined || incarnation > known.incarnation) return false;
    return incarnation < known.incarnation || known.seen.has(sequence);
  }

  /** Takes note of a broadcast. Returns whether it is new. */
  add(id: BroadcastId): boolean {
    if (this.has(id)) return false;
    const { root, incarnation, sequence } = id;
    let known = this.#roots.get(root);
    if (known?.incarnation !== incarnation) known = { incarnation, seen: new SequenceWindow(BROADCAST_WINDOW) };
    // The one that was heard last comes last.
    this.#roots.delete(root);
    this.#roots.set(root, known);
    known.seen.raise(sequence - BROADCAST_WINDOW);
    known.seen.add(sequence);
    for (const quietest of this.#roots.keys()) {
      if (this.#roots.size <= this.#rootsMax) break;
      this.#roots.delete(quietest);
    }
    return true;
  }
}
