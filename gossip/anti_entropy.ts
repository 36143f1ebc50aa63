// Copyright 2026 the Partisan peer-service authors. MIT license.

import { compareDots, type Dot } from "../membership/dot.ts";
import type { MembershipSet } from "../membership/membership_set.ts";

/** What came of hearing from another replica. */
export interface Absorbed {
  /** The membership afterwards; the same object when nothing was learnt. */
  readonly set: MembershipSet;
  /** The part of it in which members changed: what third nodes may not have heard yet. */
  readonly news: MembershipSet;
  /** The part of it in which the sender is behind: what it should be told. */
  readonly corrections: MembershipSet;
}

/** What another replica lacks, and what it has that is lacking here. */
export interface Difference {
  /** To be merged by the other replica. */
  readonly delta: MembershipSet;
  /** The names of which the other replica knows something newer. */
  readonly wanted: readonly string[];
}

/** The dots by which members are members: with these alone another replica finds out what differs. */
export function summarize(set: MembershipSet): Dot[] {
  return set.members.map((member) => set.newest(member.name)!);
}

/** Compares this replica with the summary of another. */
export function compareWithSummary(set: MembershipSet, summary: readonly Dot[]): Difference {
  const theirs = new Map(summary.map((dot) => [dot.actor, dot]));
  const lacking: string[] = [];
  for (const { name } of set.members) {
    const dot = theirs.get(name);
    if (dot === undefined || compareDots(dot, set.newest(name)!) < 0) lacking.push(name);
  }
  const wanted: string[] = [];
  for (const dot of theirs.values()) {
    const ours = set.newest(dot.actor);
    if (ours === undefined || compareDots(ours, dot) < 0) wanted.push(dot.actor);
    else if (!set.has(dot.actor)) lacking.push(dot.actor);
  }
  return { delta: set.only(lacking), wanted };
}

/**
 * Merges what another replica sent. An absent name of which nothing is known here is not taken up: it has nothing to remove
 * here, and if it were, no name could ever be forgotten by all.
 */
export function absorb(set: MembershipSet, received: MembershipSet): Absorbed {
  const relevant = received.names.filter((name) => received.has(name) || set.newest(name) !== undefined);
  const merged = set.merge(relevant.length === received.names.length ? received : received.only(relevant));
  return {
    set: merged,
    news: merged.only(relevant.filter((name) => !agree(merged, set, name))),
    corrections: merged.only(relevant.filter((name) => !agree(merged, received, name))),
  };
}

/** Whether the name is absent in both, or a member by the same dot. */
function agree(a: MembershipSet, b: MembershipSet, name: string): boolean {
  if (!a.has(name) || !b.has(name)) return a.has(name) === b.has(name);
  return compareDots(a.newest(name)!, b.newest(name)!) === 0;
}
