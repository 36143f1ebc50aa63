// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SequenceIslands } from "../wire/sequence_islands.ts";
import { type BroadcastId, broadcastKey } from "./broadcast_id.ts";

/**
 * Maximum distance behind the newest broadcast of a root at which an older one is still told from a repetition, whatever else
 * came of that root.
 */
export const BROADCAST_WINDOW = 4_096;

/** Stretches of numbers that are remembered of a root. More than one means long losses, or numbers that were made up. */
const ISLANDS_MAX = 8;

/** Incarnations of a root that are remembered. More than one means a restart, or incarnations that were made up. */
const INCARNATIONS_MAX = 4;

/** Payloads of which it is remembered what they were. */
const VERSIONS_MAX = 8_192;

/** By incarnation, the one that was heard last comes last. */
type Incarnations = Map<number, SequenceIslands>;

/** The present incarnation of a root, where it is known. */
export type IncarnationOf = (root: string) => number | undefined;

/**
 * Broadcasts that have been seen. No node vouches for the root, the incarnation and the number of a broadcast that others pass
 * on: one that was made up counts as seen, and takes nothing of what its root really broadcasts. Where it has a number that the
 * root uses as well, the two are told apart by what they carry, as long as that is remembered, and both are new once.
 * Broadcasts of a root in an incarnation before its present one count as seen.
 *
 * Of too many roots one that is not known is forgotten, then the one that was silent for longest.
 */
export class BroadcastHistory {
  readonly #rootsMax: number;
  readonly #incarnationOf: IncarnationOf;
  /** By root, the one that was heard last comes last. */
  readonly #roots = new Map<string, Incarnations>();
  /** Digests of what came under an id, the oldest id first. */
  readonly #versions = new Map<string, number[]>();
  #versionCount = 0;

  /** @param rootsMax Maximum of remembered roots. */
  constructor(rootsMax: number, incarnationOf: IncarnationOf = () => undefined) {
    this.#rootsMax = rootsMax;
    this.#incarnationOf = incarnationOf;
  }

  /** Number of roots that are remembered now. */
  get size(): number {
    return this.#roots.size;
  }

  /** Whether a broadcast has been seen, or counts as seen, whatever it carried. */
  has(id: BroadcastId): boolean {
    return this.#isOver(id) || this.#isSeen(id);
  }

  /** Takes note of a broadcast that carries something of that digest. Returns whether it is new. */
  add(id: BroadcastId, digest = 0): boolean {
    const key = broadcastKey(id);
    const versions = this.#versions.get(key) ?? [];
    // Of one whose payload is not remembered it is not known whether this is it.
    const isRepetition = versions.length === 0 || versions.includes(digest);
    if (this.#isOver(id) || (this.#isSeen(id) && isRepetition)) return false;
    this.#remember(key, versions, digest);
    const { root, incarnation, sequence } = id;
    const incarnations: Incarnations = this.#roots.get(root) ?? new Map();
    const seen = incarnations.get(incarnation) ?? new SequenceIslands(BROADCAST_WINDOW, ISLANDS_MAX);
    seen.add(sequence);
    putLast(incarnations, incarnation, seen);
    putLast(this.#roots, root, incarnations);
    if (incarnations.size > INCARNATIONS_MAX) {
      incarnations.delete(first(incarnations.keys(), (known) => known !== this.#incarnationOf(root)));
    }
    if (this.#roots.size > this.#rootsMax) {
      this.#roots.delete(
        first(this.#roots.keys(), (other) => other !== root && this.#incarnationOf(other) === undefined),
      );
    }
    return true;
  }

  #isOver({ root, incarnation }: BroadcastId): boolean {
    return incarnation < (this.#incarnationOf(root) ?? 0);
  }

  #isSeen({ root, incarnation, sequence }: BroadcastId): boolean {
    return this.#roots.get(root)?.get(incarnation)?.has(sequence) ?? false;
  }

  #remember(key: string, versions: number[], digest: number): void {
    versions.push(digest);
    this.#versions.set(key, versions);
    this.#versionCount++;
    for (const [oldest, { length }] of this.#versions) {
      if (this.#versionCount <= VERSIONS_MAX) break;
      this.#versions.delete(oldest);
      this.#versionCount -= length;
    }
  }
}

function putLast<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
}

/** The first one that `isFit`, or else the very first one. There is one. */
function first<K>(keys: Iterable<K>, isFit: (key: K) => boolean): K {
  const all = [...keys];
  return all.find(isFit) ?? all[0]!;
}
