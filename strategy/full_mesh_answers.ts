// Copyright 2026 the Partisan peer-service authors. MIT license.

import { absorb, compareWithSummary } from "../gossip/anti_entropy.ts";
import { type GossipMessage, gossipToValue } from "../gossip/gossip_message.ts";
import type { Dot } from "../membership/dot.ts";
import type { Digest } from "../wire/hash.ts";
import { cut } from "./full_mesh_parts.ts";
import { weigh, type Words } from "./full_mesh_words.ts";
import type { MembershipSet } from "../membership/membership_set.ts";
import { memberSince, type NodeSpec } from "../wire/node_spec.ts";
import { type FullMeshState, type Joiner, withSet } from "./full_mesh_state.ts";
import type { Outgoing, StrategyContext, Transition } from "./strategy.ts";

/** Nodes that join with no more milliseconds in between are many: they may wait for each other. */
const TOGETHER_MS = 1_000;

/** Answers what another node said. A stranger may say who it is, and ask to join. */
export function answer(
  state: FullMeshState,
  from: NodeSpec,
  message: GossipMessage,
  context: StrategyContext,
): Transition<FullMeshState> {
  if (isForFormerIncarnation(state, from, message)) return answerForFormerIncarnation(state, from, message);
  const isAsked = state.asked.has(from.name);
  const isMember = isAsked || state.set.has(from.name);
  switch (message.kind) {
    case "digest":
      return isMember ? answerDigest(state, from, message.digest) : answerStranger(state, from);
    case "summary":
      return isMember ? answerSummary(state, from, message.dots) : answerStranger(state, from);
    case "delta": {
      const words = weigh(state, { from, isMember, isJoining: false }, message.delta, context);
      const known = [from.name, state.self.name];
      const wanted = isMember ? message.wanted : message.wanted.filter((name) => known.includes(name));
      return withDoubts(answerDelta(state, from, words.heard, wanted, context), words, message.delta);
    }
    case "join": {
      const words = weigh(state, { from, isMember, isJoining: true }, message.members, context);
      return withDoubts(answerJoin(state, from, words.heard, context), words, message.members);
    }
    case "welcome": {
      const words = weigh(state, { from, isMember, isJoining: false }, message.delta, context);
      const asked = new Set(state.asked);
      asked.delete(from.name);
      const welcomed = isAsked ? { ...state, asked } : state;
      return withDoubts(answerWelcome(welcomed, from, words.heard, message.companions, context), words, message.delta);
    }
  }
}

/** Asks a node to let this one, and those that are in a cluster with it, join its own. */
export function askToJoin(state: FullMeshState, to: NodeSpec): Outgoing[] {
  const [members, ...rest] = cut(state.set.only(state.set.memberNames), state.self.name);
  return [tell(to, { kind: "join", members: members! }), ...rest.map((delta) => tellDelta(to, delta))];
}

/** Adds to an answer that the nodes that were spoken of are to tell the truth themselves. */
function withDoubts(
  transition: Transition<FullMeshState>,
  { doubted, ignored }: Words,
  said: MembershipSet,
): Transition<FullMeshState> {
  if (doubted.length + ignored === 0) return transition;
  const questions = doubted.flatMap((name) => {
    const to = transition.state.set.get(name);
    return to === undefined ? [] : [tellDelta(to, said.only([name]))];
  });
  return { ...transition, outgoing: [...transition.outgoing, ...questions], ignored };
}

/** Asks a node that is not known to be a member for its specification. */
function answerStranger(state: FullMeshState, from: NodeSpec): Transition<FullMeshState> {
  const newest = state.set.newest(from.name);
  if (newest !== undefined && newest.incarnation >= memberSince(from)) {
    // It was removed while it was away, and has nothing to tell before it knows.
    return { state, outgoing: [tellDelta(from, state.set.only([from.name]))] };
  }
  return { state, outgoing: [tellDelta(from, state.set.only([]), [from.name])] };
}

function tellDelta(to: NodeSpec, delta: MembershipSet, wanted: readonly string[] = []): Outgoing {
  return tell(to, { kind: "delta", delta, wanted });
}

/** A message for one node. */
export function tell(to: NodeSpec, message: GossipMessage): Outgoing {
  return { to, message: gossipToValue(message) };
}

/** Tells `delta` to `peers`. */
export function flood(peers: readonly NodeSpec[], delta: MembershipSet): Outgoing[] {
  if (delta.names.length === 0) return [];
  const messages = cut(delta).map((part) => gossipToValue({ kind: "delta", delta: part, wanted: [] }));
  return peers.flatMap((to) => messages.map((message) => ({ to, message })));
}

/** The other members to which there is a connection. */
export function connectedPeers({ self, set }: FullMeshState, { connected }: StrategyContext): NodeSpec[] {
  return set.others(self.name).filter(({ name }) => connected.has(name));
}

/**
 * Whether a message can only be for the former incarnation of this node, which has left. A node that was out of reach then still takes
 * it for a member, and must not draw the new incarnation into a cluster that it never asked to join.
 */
function isForFormerIncarnation(
  { self, set, farewell }: FullMeshState,
  from: NodeSpec,
  message: GossipMessage,
): boolean {
  if (farewell.names.length === 0 || set.has(from.name) || message.kind === "join") return false;
  return message.kind !== "welcome" || message.incarnation !== self.incarnation;
}

/** Says that the former incarnation has left; or, to one that knows the new incarnation because that asked to join, asks again. */
function answerForFormerIncarnation(
  state: FullMeshState,
  from: NodeSpec,
  message: GossipMessage,
): Transition<FullMeshState> {
  if (message.kind === "delta") {
    // Such as the farewell of another one: two of them must not bid each other farewell without end.
    if (message.delta.memberNames.length === 0) return { state, outgoing: [] };
    const known = message.delta.get(state.self.name);
    if (known?.incarnation === state.self.incarnation) {
      return { state: { ...state, asked: new Set(state.asked).add(from.name) }, outgoing: askToJoin(state, from) };
    }
  }
  return { state, outgoing: [tell(from, { kind: "delta", delta: state.farewell, wanted: [] })] };
}

/** The same digest: nothing to say. Another one: its sender may find out with a summary what differs. */
function answerDigest(state: FullMeshState, from: NodeSpec, theirs: Digest): Transition<FullMeshState> {
  const { set } = state;
  const ours = set.digest();
  if (ours.high === theirs.high && ours.low === theirs.low) return { state, outgoing: [] };
  if (state.answersLeft === 0) return { state, outgoing: [] };
  return {
    state: { ...state, answersLeft: state.answersLeft - 1 },
    outgoing: [tell(from, { kind: "summary", dots: set.dots() })],
  };
}

function answerSummary(state: FullMeshState, from: NodeSpec, summary: readonly Dot[]): Transition<FullMeshState> {
  const { delta, wanted } = compareWithSummary(state.set, summary);
  if (delta.names.length === 0 && wanted.length === 0) return { state, outgoing: [] };
  const [first, ...rest] = cut(delta);
  return { state, outgoing: [tellDelta(from, first!, wanted), ...rest.map((part) => tellDelta(from, part))] };
}

/** News are not passed on: the node that made the change has told all nodes, and digests find those that it missed. */
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
    outgoing: flood([from], reply),
  };
}

/** Lets the node that asked join, with those that came with it. It is welcomed at once, or together with others that are connecting. */
function answerJoin(
  state: FullMeshState,
  from: NodeSpec,
  joining: MembershipSet,
  context: StrategyContext,
): Transition<FullMeshState> {
  const { set, news } = absorb(state.set, joining);
  const { incarnation } = joining.newest(from.name) ?? from;
  const companions = news.names.filter((name) => name !== from.name);
  const joiner: Joiner = { node: from, incarnation, summary: joining.dots(), companions };
  const joiners = [...state.joiners.filter(({ node }) => node.name !== from.name), joiner];
  const untold = [...new Set([...state.untold, ...news.names])];
  const joined = { ...withSet(state, set, joining.names, context.now), joiners, untold };
  const isOneOfMany = context.now - state.welcomedAt < TOGETHER_MS;
  return context.isExpecting && isOneOfMany ? { state: joined, outgoing: [] } : welcomeAll(joined, context);
}

/** Welcomes the nodes that have joined, each with all that it lacks, and tells the rest of this cluster who came. */
export function welcomeAll(state: FullMeshState, context: StrategyContext): Transition<FullMeshState> {
  const { joiners, untold, set, self } = state;
  if (joiners.length === 0) return { state, outgoing: [] };
  const outgoing = joiners.flatMap(({ node, incarnation, summary, companions }) => {
    const [first, ...rest] = cut(compareWithSummary(set, summary).delta, self.name);
    const welcome = tell(node, { kind: "welcome", incarnation, delta: first!, companions });
    return [welcome, ...rest.map((part) => tellDelta(node, part))];
  });
  const names = new Set(joiners.map(({ node }) => node.name));
  const residents = connectedPeers(state, context).filter(({ name }) => !names.has(name));
  outgoing.push(...flood(residents, set.only(untold)));
  return { state: { ...state, joiners: [], untold: [], welcomedAt: context.now }, outgoing };
}

/** Tells those that came with this node what it has been told where it joined. */
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
  outgoing.push(...flood([from], corrections));
  return { state: withSet(state, set, delta.names, context.now), outgoing };
}
