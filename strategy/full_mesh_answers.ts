// Copyright 2026 the Partisan peer-service authors. MIT license.

import { absorb, compareWithSummary } from "../gossip/anti_entropy.ts";
import { type GossipMessage, gossipToValue } from "../gossip/gossip_message.ts";
import type { Dot } from "../membership/dot.ts";
import type { Digest } from "../wire/hash.ts";
import type { MembershipSet } from "../membership/membership_set.ts";
import { memberSince, type NodeSpec } from "../wire/node_spec.ts";
import { type FullMeshState, withSet } from "./full_mesh_state.ts";
import type { Outgoing, StrategyContext, Transition } from "./strategy.ts";

/** Answers what another node said. */
export function answer(
  state: FullMeshState,
  from: NodeSpec,
  message: GossipMessage,
  context: StrategyContext,
): Transition<FullMeshState> {
  if (isForFormerLife(state, from, message)) return answerForFormerLife(state, from, message);
  switch (message.kind) {
    case "digest":
      return answerDigest(state, from, message.digest);
    case "summary":
      return answerSummary(state, from, message.dots);
    case "delta":
      return answerDelta(state, from, message.delta, message.wanted, context);
    case "join":
      return answerJoin(state, from, message.members, context);
    case "welcome":
      return answerWelcome(state, from, message.delta, message.companions, context);
  }
}

/** What a node that wants to join a cluster says. */
export function joinRequest({ set }: FullMeshState): GossipMessage {
  return { kind: "join", members: set.only(set.memberNames) };
}

/** A message for one node. */
export function tell(to: NodeSpec, message: GossipMessage): Outgoing {
  return { to, message: gossipToValue(message) };
}

/** Tells `delta` to `peers`. */
export function flood(peers: readonly NodeSpec[], delta: MembershipSet): Outgoing[] {
  if (delta.names.length === 0) return [];
  const message = gossipToValue({ kind: "delta", delta, wanted: [] });
  return peers.map((to) => ({ to, message }));
}

/** The other members to whom there is a connection. */
export function connectedPeers({ self, set }: FullMeshState, { connected }: StrategyContext): NodeSpec[] {
  return set.others(self.name).filter(({ name }) => connected.has(name));
}

/**
 * Whether a message can only be for the former life of this node, which has left. Whoever was out of reach then still takes
 * it for a member, and must not draw the new life into a cluster that it never asked to join.
 */
function isForFormerLife({ self, set, farewell }: FullMeshState, from: NodeSpec, message: GossipMessage): boolean {
  if (farewell.names.length === 0 || set.has(from.name) || message.kind === "join") return false;
  return message.kind !== "welcome" || message.incarnation !== self.incarnation;
}

/** Says that the former life has left; or, to one who knows the new life because that asked to join, asks again. */
function answerForFormerLife(state: FullMeshState, from: NodeSpec, message: GossipMessage): Transition<FullMeshState> {
  if (message.kind === "delta") {
    // Such as the farewell of another one: two of them must not bid each other farewell for ever.
    if (message.delta.memberNames.length === 0) return { state, outgoing: [] };
    const known = message.delta.get(state.self.name);
    if (known?.incarnation === state.self.incarnation) return { state, outgoing: [tell(from, joinRequest(state))] };
  }
  return { state, outgoing: [tell(from, { kind: "delta", delta: state.farewell, wanted: [] })] };
}

/** The same digest: nothing to say. Another one: whoever sent it may find out with a summary what differs. */
function answerDigest(state: FullMeshState, from: NodeSpec, theirs: Digest): Transition<FullMeshState> {
  const { set } = state;
  const ours = set.digest();
  if (ours.high === theirs.high && ours.low === theirs.low) return { state, outgoing: [] };
  const newest = set.newest(from.name);
  if (newest !== undefined && !set.has(from.name) && newest.incarnation >= memberSince(from)) {
    // It was removed while it was away, and has nothing to tell before it knows.
    return { state, outgoing: [tell(from, { kind: "delta", delta: set.only([from.name]), wanted: [] })] };
  }
  if (state.answersLeft === 0) return { state, outgoing: [] };
  return {
    state: { ...state, answersLeft: state.answersLeft - 1 },
    outgoing: [tell(from, { kind: "summary", dots: set.dots() })],
  };
}

function answerSummary(state: FullMeshState, from: NodeSpec, summary: readonly Dot[]): Transition<FullMeshState> {
  const { delta, wanted } = compareWithSummary(state.set, summary);
  if (delta.names.length === 0 && wanted.length === 0) return { state, outgoing: [] };
  return { state, outgoing: [tell(from, { kind: "delta", delta, wanted })] };
}

/** What is new here is not told on: whoever made the change has told everyone, and digests find whom it missed. */
function answerDelta(
  state: FullMeshState,
  from: NodeSpec,
  delta: MembershipSet,
  wanted: readonly string[],
  context: StrategyContext,
): Transition<FullMeshState> {
  const { set, corrections } = absorb(state.set, delta);
  const reply = wanted.length === 0 ? corrections : corrections.merge(set.only(wanted));
  return {
    state: withSet(state, set, delta.names, context.now),
    outgoing: reply.names.length === 0 ? [] : [tell(from, { kind: "delta", delta: reply, wanted: [] })],
  };
}

/** Welcomes the node that asked, with all that it lacks, and tells this cluster who came with it. */
function answerJoin(
  state: FullMeshState,
  from: NodeSpec,
  joining: MembershipSet,
  context: StrategyContext,
): Transition<FullMeshState> {
  const { set, news } = absorb(state.set, joining);
  const { delta } = compareWithSummary(set, joining.dots());
  const { incarnation } = joining.newest(from.name) ?? from;
  const companions = news.names.filter((name) => name !== from.name);
  const residents = connectedPeers(state, context).filter(({ name }) => name !== from.name);
  return {
    state: withSet(state, set, joining.names, context.now),
    outgoing: [tell(from, { kind: "welcome", incarnation, delta, companions }), ...flood(residents, news)],
  };
}

/** Tells those who came with this node what it has been told where it joined. */
function answerWelcome(
  state: FullMeshState,
  from: NodeSpec,
  delta: MembershipSet,
  companions: readonly string[],
  context: StrategyContext,
): Transition<FullMeshState> {
  const { set, news, corrections } = absorb(state.set, delta);
  const names = new Set(companions);
  const outgoing = flood(connectedPeers(state, context).filter(({ name }) => names.has(name)), news);
  if (corrections.names.length > 0) outgoing.push(tell(from, { kind: "delta", delta: corrections, wanted: [] }));
  return { state: withSet(state, set, delta.names, context.now), outgoing };
}
