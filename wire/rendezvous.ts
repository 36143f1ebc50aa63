// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hashString } from "./hash.ts";

/** Candidate for a choice. */
export interface Candidate {
  /** Tells it apart from the others. */
  readonly name: string;
  /** Weight: how often it is chosen in proportion to the others. Above 0. */
  readonly weight: number;
}

/**
 * Ranks candidates for a key, the same everywhere: weighted rendezvous hashing (Thaler and Ravishankar 1998; the weights as in Schindelhauer
 * and Schomaker 2005). When one candidate comes or goes, only keys that it wins or had won move.
 *
 * @returns Up to `count` of them, the best one first.
 */
export function rendezvous<T extends Candidate>(key: string, candidates: Iterable<T>, count = 1): T[] {
  const keyHash = hashString(key);
  const ranked: { readonly score: number; readonly candidate: T }[] = [];
  for (const candidate of candidates) {
    const score = scoreOf(keyHash, candidate);
    const worst = ranked.at(-1);
    if (ranked.length === count && worst !== undefined && !isBefore(score, candidate, worst)) continue;
    let place = ranked.length;
    for (let other = ranked[place - 1]; other !== undefined && isBefore(score, candidate, other);) {
      other = ranked[--place - 1];
    }
    ranked.splice(place, 0, { score, candidate });
    if (ranked.length > count) ranked.pop();
  }
  return ranked.map(({ candidate }) => candidate);
}

/** Above 0, and greater the better: `-weight / ln(u)`, with `u` evenly distributed in (0, 1). */
function scoreOf(keyHash: number, { name, weight }: Candidate): number {
  const unit = (hashString(name, keyHash) + 0.5) / 0x1_0000_0000;
  return -weight / Math.log(unit);
}

function isBefore(
  score: number,
  { name }: Candidate,
  other: { readonly score: number; readonly candidate: Candidate },
): boolean {
  return score > other.score || (score === other.score && name < other.candidate.name);
}
