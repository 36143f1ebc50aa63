// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import { pick, type View, without } from "../view.ts";
import { sample } from "../../runtime/sample.ts";
import { ends, findArc, longestDown, withArc, withoutArc } from "./arcs.ts";
import { neighboursOf, type ScampTurn } from "./state.ts";

/*
 * How a node gets into the views of others. Sections are those of A. Ganesh, A.-M. Kermarrec and L. Massoulié, "Peer-to-peer
 * membership management for gossip-based protocols", IEEE Transactions on Computers 52(2), 2003.
 */

/** A copy is dropped after so many times the steps that it takes on average. */
const STEPS_FACTOR = 10;
const STEPS_MAX = 65_535;
/** Rounds in which a node that was only heard of must have answered. */
const TRIAL_ROUNDS = 10;
/** The view of a contact is at most so many times as large as that of a node on the way of a copy, nearly always. */
const VIEWS_DIFFER = 4;
/** Rounds in which a contact must have answered. */
const ANSWER_ROUNDS = 3;
const TRIES = 10;
const HEARD_OF_MAX = 16;
/** Nodes of which one that subscribes is told. */
const OTHERS = 8;
/** The part of a lease after which it is renewed, on average. */
const RENEWAL = 0.85;

/** Asks a member to let this node in. */
export function subscribe(turn: ScampTurn, via: NodeSpec, tries = TRIES): void {
  turn.set({ subscribing: { via, due: turn.state.round + ANSWER_ROUNDS, tries: tries - 1 } });
  turn.send(via, { type: "subscribe", again: false, others: true });
}

/** Spreads this node's name anew through one of its neighbours. */
export function subscribeAgain(turn: ScampTurn): void {
  const { lease } = turn.config;
  // A little before the lease ends, and not in step with all who joined together.
  const renewAt = turn.state.round + Math.ceil(lease * (RENEWAL + 0.1 * (turn.context.random() - 0.5)));
  turn.set({ renewAt });
  const via = pick(turn.connected(ends(turn.state.view)), turn.context.random) ??
    pick(turn.connected(neighboursOf(turn.state)), turn.context.random);
  const others = turn.state.heardOf.length < OTHERS;
  if (via !== undefined) turn.send(via, { type: "subscribe", again: true, others });
}

/**
 * Takes a subscription: sends it on its way to a random contact, or is the contact. It may get lost on its way, and this node be gone by then: so
 * the subscriber is told of others.
 */
export function onSubscribe(
  turn: ScampTurn,
  node: NodeSpec,
  { again, others }: { readonly again: boolean; readonly others: boolean },
): void {
  const { subscribed } = turn.state;
  // One that asks again before the round is over has its copies under way.
  if (subscribed.includes(node.name)) return;
  turn.set({ subscribed: [...subscribed, node.name] });
  const nodes = others
    ? sample(turn.connected(neighboursOf(turn.state), [node.name]), OTHERS, turn.context.random)
    : [];
  if (nodes.length > 0) turn.send(node, { type: "others", nodes });
  if (turn.config.hasIndirection) stepOn(turn, node, again, turn.state.view.length);
  else beContact(turn, node, again);
}

/**
 * A subscription walks by (indirection, section 4.1). The paper weighs arcs so that every node is equally likely to be
 * the contact; the same follows, with nothing to keep, when a step to a node with more neighbours is taken back in
 * proportion (Metropolis and Hastings).
 */
export function onWalk(
  turn: ScampTurn,
  from: NodeSpec,
  walk: { readonly node: NodeSpec; readonly again: boolean; readonly ttl: number; readonly degree: number },
): void {
  const { node, again, degree } = walk;
  const ttl = Math.min(walk.ttl, turn.config.viewSizeMax);
  hearOf(turn, node);
  const own = turn.connected(neighboursOf(turn.state), [node.name]).length;
  const isTaken = degree === 0 || turn.context.random() * own < degree;
  if (isTaken) stepOn(turn, node, again, ttl);
  else turn.send(from, { type: "walk", node, again, ttl, degree: 0 });
}

function stepOn(turn: ScampTurn, node: NodeSpec, again: boolean, ttl: number): void {
  const neighbours = turn.connected(neighboursOf(turn.state), [node.name]);
  const next = ttl === 0 ? undefined : pick(neighbours, turn.context.random);
  if (next === undefined) beContact(turn, node, again);
  else turn.send(next, { type: "walk", node, again, ttl: ttl - 1, degree: neighbours.length });
}

/**
 * Sends copies of a subscription out (section 2.1, algorithm 1): one to each node in the view and `c` more. Who subscribes again
 * takes the place of its former subscription: its copies are as many as make up for those that end meanwhile.
 */
function beContact(turn: ScampTurn, node: NodeSpec, again: boolean): void {
  const { c } = turn.config;
  const size = turn.connected(ends(turn.state.view), [node.name]).length;
  if (!again) turn.send(node, { type: "welcome" });
  if (size === 0) keep(turn, node);
  else spread(turn, node, again ? Math.max(Math.round(RENEWAL * size), c + 1) : size + c);
}

/** Sends so many copies of a subscription to the nodes in the view, to each one before any gets a second one. */
export function spread(turn: ScampTurn, node: NodeSpec, copies: number): void {
  const { random } = turn.context;
  const view = turn.connected(ends(turn.state.view), [node.name]);
  const ttl = Math.min(STEPS_FACTOR * (1 + view.length), STEPS_MAX);
  const targets = sample(view, copies, random);
  while (view.length > 0 && targets.length < copies) targets.push(pick(view, random)!);
  for (const target of targets) turn.send(target, { type: "subscription", node, ttl });
}

/** A contact let this node in: it is the first in the view. */
export function onWelcome(turn: ScampTurn, from: NodeSpec): void {
  const { subscribing } = turn.state;
  // Where a subscription walks first, any node may be the contact in the end.
  if (turn.config.hasIndirection || subscribing?.via.name === from.name) turn.set({ subscribing: null });
  keep(turn, from);
}

/** A copy of a subscription came by (section 2.1, algorithm 2): keeps it by chance, the rarer the larger the view is. */
export function onSubscription(turn: ScampTurn, from: NodeSpec, node: NodeSpec, ttl: number): void {
  const { state, context } = turn;
  const canKeep = isWanted(turn, node);
  if (canKeep && context.random() * (1 + state.view.length) < 1) return keep(turn, node);
  const inOwnView = turn.connected(ends(state.view), [node.name]);
  const others = inOwnView.length > 0 ? inOwnView : turn.connected(ends(state.inView), [node.name]);
  const next = pick(others.length > 1 ? others.filter(({ name }) => name !== from.name) : others, context.random);
  // The contact may have seen a larger view than this one, by as much as views differ.
  const left = Math.min(ttl, VIEWS_DIFFER * STEPS_FACTOR * (1 + inOwnView.length)) - 1;
  hearOf(turn, node);
  if (next !== undefined && left > 0) turn.send(next, { type: "subscription", node, ttl: left });
  else if (canKeep) keep(turn, node);
}

/** Another node has told of these. */
export function onOthers(turn: ScampTurn, nodes: View): void {
  for (const node of nodes) hearOf(turn, node);
}

/** Remembers a node that is not kept; the one remembered for longest makes room. */
export function hearOf(turn: ScampTurn, node: NodeSpec): void {
  const { self, heardOf } = turn.state;
  if (node.name !== self.name) turn.set({ heardOf: [...without(heardOf, node.name).slice(1 - HEARD_OF_MAX), node] });
}

/** Whether a subscription would be new here, or renew one that has passed half of its lease. */
function isWanted({ state, config }: ScampTurn, node: NodeSpec): boolean {
  if (node.name === state.self.name) return false;
  const arc = findArc(state.view, node.name);
  if (arc === undefined) return state.view.length < config.viewSizeMax || longestDown(state.view) !== undefined;
  return arc.until - state.round < config.lease / 2;
}

/** Puts a node into the view and tells it. */
export function keep(turn: ScampTurn, node: NodeSpec): void {
  const { view, round, self } = turn.state;
  if (node.name === self.name) return;
  const isFull = findArc(view, node.name) === undefined && view.length >= turn.config.viewSizeMax;
  // One that cannot be reached makes room, as it may not exist.
  const kept = isFull ? withoutArc(view, longestDown(view)?.node.name ?? "") : view;
  if (isFull && kept === view) return;
  turn.set({ view: withArc(kept, turn.arcTo(node, round + turn.config.lease)) });
  turn.send(node, { type: "kept" });
}

/** Puts a node into the view that was only heard of. It is forgotten soon unless it answers. */
export function tryOut(turn: ScampTurn, node: NodeSpec): void {
  turn.set({ heardOf: without(turn.state.heardOf, node.name) });
  keep(turn, node);
  const { view, round } = turn.state;
  const arc = findArc(view, node.name);
  if (arc === undefined || arc.downSince === null) return;
  turn.set({ view: withArc(view, { ...arc, downSince: round - Math.max(0, turn.config.forgetAfter - TRIAL_ROUNDS) }) });
}

/** This node is in the view of `from`. */
export function onKept(turn: ScampTurn, from: NodeSpec): void {
  const { inView, round } = turn.state;
  const { heartbeat, viewSizeMax } = turn.config;
  if (findArc(inView, from.name) === undefined && inView.length >= 4 * viewSizeMax) return;
  turn.set({ inView: withArc(inView, turn.arcTo(from, round + MISSED_HEARTBEATS * heartbeat)), keptAt: round });
}

/** An entry of the in-view is dropped when so many heartbeats were missed. */
export const MISSED_HEARTBEATS = 3;
