// Copyright 2026 the Partisan peer-service authors. MIT license.

import { compareDots, type Dot } from "../membership/dot.ts";
import type { MembershipSet } from "../membership/membership_set.ts";

/** Result of a message from another replica. */
export interface Absorbed {
  /** The membership afterwards; the same object when nothing was learnt. */
  readonly set: MembershipSet;
  /** The part of it in which members changed: what third nodes may not have heard yet. */
  readonly news: MembershipSet;
  /** The part of it in which the sender is behind: what it should be told. */
  readonly corrections: MembershipSet;
}

/** Difference to another replica: what it lacks, and what is lacking here. */
export interface Difference {
  /** To be merged by the other replica. */
  readonly delta: MembershipSet;
  /** The names of which the other replica knows something newer. */
  readonly wanted: readonly string[];
}

/**
 * Compares this replica with the dots by which another one's members are members. Absent names are not in such a summary;
 * that a name was removed is told to those that show that they did not know it.
 */
export function compareWithSummary(set: MembershipSet, summary: readonly Dot[]): Difference {
  const theirs = new Map(summary.map((dot) => [dot.actor, dot]));
  const lacking: string[] = [];
  for (const ours of set.dots()) {
    const dot = theirs.get(ours.actor);
    if (dot === undefined || compareDots(dot, ours) < 0) lacking.push(ours.actor);
  }
  const wanted: string[] = [];
  for (const dot of theirs.values()) {
    const ours = set.newest(dot.actor);
    if (ours === undefined || compareDots(ours, dot) < 0) wanted.push(dot.actor);
    else if (!set.has(dot.actor)) lacking.push(dot.actor);
  }
  return { delta: set.only(lacking), wanted };
}

/** Merges what another replica sent. */
export function absorb(set: MembershipSet, received: MembershipSet): Absorbed {
  const merged = set.merge(received);
  return {
    set: merged,
    news: merged.only(merged === set ? [] : received.names.filter((name) => !agree(merged, set, name))),
    corrections: merged.only(received.names.filter((name) => !agree(merged, received, name))),
  };
}

/** Whether the name is absent in both, or a member by the same dot. */
function agree(a: MembershipSet, b: MembershipSet, name: string): boolean {
  if (!a.has(name) || !b.has(name)) return a.has(name) === b.has(name);
  return compareDots(a.newest(name)!, b.newest(name)!) === 0;
}
