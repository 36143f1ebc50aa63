// Copyright 2026 the Partisan peer-service authors. MIT license.

import { compareDots, type Dot } from "../membership/dot.ts";
import type { MembershipSet } from "../membership/membership_set.ts";
import { hasOtherKey, isElsewhere, memberSince, type NodeSpec } from "../wire/node_spec.ts";
import type { FullMeshState } from "./full_mesh_state.ts";
import type { StrategyContext } from "./strategy.ts";

/** A node speaks of itself once an incarnation; no other node speaks of it so often. */
const COUNTER_MAX = 2 ** 32;

/** Claims of another node that remain after the checks. */
export interface Words {
  /** To be believed. */
  readonly heard: MembershipSet;
  /** Of nodes that are connected, as an incarnation before: for these to confirm, or to deny. */
  readonly doubted: readonly string[];
  /** Number of names whose claims were ignored. */
  readonly ignored: number;
}

/** Node that makes a claim. */
export interface Speaker {
  readonly from: NodeSpec;
  /** Whether it is a member here, or was asked by this node to let it in. Everyone else may speak of itself, and of who comes with it. */
  readonly isMember: boolean;
  /** Whether it asks to join. */
  readonly isJoining: boolean;
}

/** Parts what another node said into what it may say, and the rest. */
export function weigh(
  state: FullMeshState,
  { from, isMember, isJoining }: Speaker,
  said: MembershipSet,
  context: StrategyContext,
): Words {
  const heard: string[] = [];
  const doubted: string[] = [];
  let room = state.membersMax - state.set.memberNames.length;
  for (const name of said.names) {
    const newest = said.newest(name)!;
    const known = state.set.newest(name);
    const isNew = known === undefined || compareDots(known, newest) < 0 || isEnd(state.set.get(name), newest, said);
    if (!isNew) {
      heard.push(name);
      continue;
    }
    if (!isPossible(newest, context)) continue;
    // A name belongs, at one incarnation, to the key that had it first, and is where that said: the handshake asks for that key.
    // What is said of this node itself is for its owner to answer.
    const present = state.set.get(name);
    if (
      name === from.name ? isOther(said.get(name), from) : name !== state.self.name && isOther(said.get(name), present)
    ) {
      continue;
    }
    if (name !== state.self.name && present !== undefined && hasOtherKey(said.get(name) ?? present, present)) continue;
    if (name === from.name) {
      if (!isOwnWord(from, newest, said.has(name))) continue;
    } else if (!isMember) {
      // Who joins brings its own cluster along; what is known here it does not know better.
      if (!isJoining || known !== undefined || name === state.self.name || !said.has(name)) continue;
    } else if (name !== state.self.name && isContradicted(newest, said.has(name), known, context)) {
      doubted.push(name);
      continue;
    }
    const isAdded = said.has(name) && !state.set.has(name);
    if (isAdded && room <= 0) continue;
    if (isAdded) room--;
    heard.push(name);
  }
  if (heard.length === said.names.length) return { heard: said, doubted, ignored: 0 };
  return { heard: said.only(heard), doubted, ignored: said.names.length - heard.length - doubted.length };
}

/** Whether a member is said to have left, in its present incarnation or in one that it goes on with. */
function isEnd(ours: NodeSpec | undefined, newest: Dot, said: MembershipSet): boolean {
  return ours !== undefined && !said.has(ours.name) && newest.incarnation >= memberSince(ours);
}

function isPossible({ incarnation, counter }: Dot, { incarnationMax = Infinity }: StrategyContext): boolean {
  return incarnation <= incarnationMax && counter <= COUNTER_MAX;
}

/** Whether a node is said to be somewhere else, or to have another key, than it is known to, in the same incarnation. */
function isOther(said: NodeSpec | undefined, known: NodeSpec | undefined): boolean {
  return said !== undefined && known !== undefined && isElsewhere(said, known);
}

/** A node is what it said in the handshake, and may say that earlier incarnations have left. */
function isOwnWord(from: NodeSpec, { incarnation }: Dot, isThere: boolean): boolean {
  return isThere ? incarnation === from.incarnation : incarnation <= from.incarnation;
}

/** Whether a connected node shows by being there that it is not as another node says. That it was removed it cannot know better. */
function isContradicted(
  { actor, incarnation }: Dot,
  isThere: boolean,
  known: Dot | undefined,
  { connected, incarnationOf }: StrategyContext,
): boolean {
  const present = connected.has(actor) ? incarnationOf?.(actor) : undefined;
  if (present === undefined) return false;
  if (incarnation > present) return true;
  return isThere && incarnation === present && known?.incarnation === incarnation;
}
