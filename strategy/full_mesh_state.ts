// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Dot } from "../membership/dot.ts";
import type { MembershipSet } from "../membership/membership_set.ts";
import type { NodeSpec } from "../wire/node_spec.ts";

/** A node that has joined, and waits for its welcome. */
export interface Joiner {
  /** The node itself. */
  readonly node: NodeSpec;
  /** The incarnation in which it asked. */
  readonly incarnation: number;
  /** Members that it knows. */
  readonly summary: readonly Dot[];
  /** Names of those that came with it. */
  readonly companions: readonly string[];
}

/** All that a node of a full mesh remembers. */
export interface FullMeshState {
  /** This node, as it was when the strategy began. */
  readonly self: NodeSpec;
  /** The members of the cluster. */
  readonly set: MembershipSet;
  /** Members that have been out of reach since they were last heard of, and whose next connection is worth a word. */
  readonly away: ReadonlySet<string>;
  /** Names that were seen to become absent and are not forgotten yet: since when, the longest ago first. */
  readonly absentSince: ReadonlyMap<string, number>;
  /** That its former incarnation has left, to be told to those that have not heard; empty when there is nothing to tell. */
  readonly farewell: MembershipSet;
  /** Nodes that this one has asked to let it join, and that have not answered. */
  readonly asked: ReadonlySet<string>;
  /** Nodes that this one has let join, and not welcomed yet, since more are coming. */
  readonly joiners: readonly Joiner[];
  /** Names that came with them, of which no other node was told. */
  readonly untold: readonly string[];
  /** Time at which a node was welcomed last. */
  readonly welcomedAt: number;
  /** Most members, this node included. Further ones are not believed. */
  readonly membersMax: number;
  /** Number of further members that come back and may be sent a digest before the next `periodic`. */
  readonly questionsLeft: number;
  /** Number of further digests that may be answered with a summary, which is the heavy part, before the next `periodic`. */
  readonly answersLeft: number;
}

/** Names that are remembered as absent at most; beyond it those absent for longest are forgotten early. */
export const ABSENT_NAMES_MAX = 10_000;

/** Whether this node is in the cluster, in its present incarnation. */
export function isMember({ self, set }: FullMeshState): boolean {
  return set.get(self.name)?.incarnation === self.incarnation;
}

/** The state with `set`, in which nothing has changed but what is known of `names`. */
export function withSet(
  state: FullMeshState,
  set: MembershipSet,
  names: readonly string[],
  now: number,
): FullMeshState {
  if (set === state.set) return state;
  // Nearly always nothing is to be changed in either.
  if (state.absentSince.size === 0 && names.every((name) => set.has(name))) return { ...state, set };
  const away = new Set(state.away);
  const absentSince = new Map(state.absentSince);
  for (const name of names) {
    if (set.has(name)) {
      absentSince.delete(name);
    } else {
      away.delete(name);
      if (!absentSince.has(name)) absentSince.set(name, now);
    }
  }
  return { ...state, set, away, absentSince };
}

/** Forgets the names that have been absent for `forgetAfter` milliseconds. */
export function forgetAbsent(state: FullMeshState, forgetAfter: number, now: number): FullMeshState {
  let { set } = state;
  const absentSince = new Map(state.absentSince);
  for (const [name, since] of state.absentSince) {
    if (now - since < forgetAfter && absentSince.size <= ABSENT_NAMES_MAX) break;
    set = set.forget(name);
    absentSince.delete(name);
  }
  return set === state.set ? state : { ...state, set, absentSince };
}
