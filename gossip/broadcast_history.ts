// Copyright 2026 the Partisan peer-service authors. MIT license.

import { leastVouched, type Told, vouch } from "../runtime/least_vouched.ts";
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

/** Numbers of one incarnation of a root. */
interface Heard extends Told {
  readonly seen: SequenceIslands;
}

/** Incarnations of a root, the one that was heard last comes last. */
interface Root extends Told {
  readonly incarnations: Map<number, Heard>;
}

/** The present incarnation of a root, where it is known. */
export type IncarnationOf = (root: string) => number | undefined;

/**
 * Broadcasts that have been seen. No node vouches for the root, the incarnation and the number of a broadcast that others pass
 * on: one that was made up counts as seen, and takes nothing of what its root really broadcasts. Where it has a number that the
 * root uses as well, the two are told apart by what they carry, as long as that is remembered, and both are new once.
 * Broadcasts of a root in an incarnation before its present one count as seen.
 *
 * Of too many roots one that is not known is forgotten, then the one that was silent for longest. Of several, as of a root's incarnations and stretches
 * of numbers, it is one of those that one neighbour alone told of that told of most ({@linkcode leastVouched}).
 */
export class BroadcastHistory {
  readonly #rootsMax: number;
  readonly #incarnationOf: IncarnationOf;
  /** By root, the one that was heard last comes last. */
  readonly #roots = new Map<string, Root>();
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

  /**
   * Takes note of a broadcast that carries something of that digest.
   *
   * @param teller Name of the neighbour that it came by; by default, it is of this node.
   * @returns Whether it is new.
   */
  add(id: BroadcastId, digest = 0, teller?: string): boolean {
    const key = broadcastKey(id);
    const versions = this.#versions.get(key) ?? [];
    // Of one whose payload is not remembered it is not known whether this is it.
    const isRepetition = versions.length === 0 || versions.includes(digest);
    if (this.#isOver(id) || (this.#isSeen(id) && isRepetition)) return false;
    this.#remember(key, versions, digest);
    const { root, incarnation, sequence } = id;
    const known = this.#roots.get(root) ?? { teller, incarnations: new Map() };
    const heard = known.incarnations.get(incarnation) ??
      { teller, seen: new SequenceIslands(BROADCAST_WINDOW, ISLANDS_MAX) };
    heard.seen.add(sequence, teller);
    for (const told of [known, heard]) vouch(told, teller);
    putLast(known.incarnations, incarnation, heard);
    putLast(this.#roots, root, known);
    forgetOne(known.incarnations, INCARNATIONS_MAX, (other) => other !== this.#incarnationOf(root));
    forgetOne(this.#roots, this.#rootsMax, (other) => other !== root && this.#incarnationOf(other) === undefined);
    return true;
  }

  #isOver({ root, incarnation }: BroadcastId): boolean {
    return incarnation < (this.#incarnationOf(root) ?? 0);
  }

  #isSeen({ root, incarnation, sequence }: BroadcastId): boolean {
    return this.#roots.get(root)?.incarnations.get(incarnation)?.seen.has(sequence) ?? false;
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

/** Forgets one entry when there are more than `most`: one of those that `isFit`, if there is any. */
function forgetOne<K>(entries: Map<K, Told>, most: number, isFit: (key: K) => boolean): void {
  if (entries.size <= most) return;
  const all = [...entries].map(([key, { teller }]) => ({ key, teller }));
  const fit = all.filter(({ key }) => isFit(key));
  entries.delete(leastVouched(fit.length > 0 ? fit : all)!.key);
}
