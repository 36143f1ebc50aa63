// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import {
  canBe,
  type Departure,
  followUp,
  hasDeparted,
  isEndOf,
  removalOf,
  sendLatestDepartures,
  withDeparture,
} from "../departures.ts";
import { find, type View, without } from "../view.ts";
import { sample } from "../../runtime/sample.ts";
import { ends, findArc, withArc, withoutArc } from "./arcs.ts";
import { neighboursOf, type ScampTurn } from "./state.ts";
import { keep, spread } from "./subscription.ts";

/** Each node passes the news of a departure on to so many neighbours: one node in e^10 misses it, and has leases to end it. */
const FANOUT = 10;

/** Nodes that left of which it is remembered that they were in the view. */
const VACATED_MAX = 64;

/**
 * Takes notice of a node that another one spoke of. A newer incarnation of a known node retires the older one, everywhere.
 *
 * @returns Whether that node is still in the cluster, as far as is known here.
 */
export function meet(turn: ScampTurn, node: NodeSpec): boolean {
  const { self, departures, view, inView } = turn.state;
  if (node.name === self.name) return node.incarnation >= self.incarnation;
  if (hasDeparted(departures, node) || !canBe(node, turn.context)) return false;
  const arc = findArc(view, node.name) ?? findArc(inView, node.name);
  if (arc === undefined || arc.node.incarnation === node.incarnation) return true;
  if (arc.node.incarnation > node.incarnation) return false;
  const isKept = findArc(view, node.name) !== undefined;
  onLeft(turn, { name: node.name, incarnation: arc.node.incarnation, isRemoval: false });
  if (isKept) keep(turn, followUp(node, arc.node));
  return true;
}

/**
 * Takes notice of a node that speaks itself. Its own word counts for more than those of others: were it known in a later incarnation than it says, that
 * would be one which another node has made up.
 *
 * @returns As {@linkcode meet} does.
 */
export function meetItself(turn: ScampTurn, node: NodeSpec): boolean {
  const { view, inView } = turn.state;
  const arc = findArc(view, node.name) ?? findArc(inView, node.name);
  if (arc !== undefined && arc.node.incarnation > node.incarnation) {
    turn.set({ view: withoutArc(view, node.name), inView: withoutArc(inView, node.name) });
  }
  return meet(turn, node);
}

/** A node retires its former incarnation. It was in the view until another node said that it is gone: it is not, and comes back. */
export function restore(turn: ScampTurn, node: NodeSpec): void {
  const { vacated } = turn.state;
  if (!vacated.includes(node.name) || !meetItself(turn, node)) return;
  turn.set({ vacated: vacated.filter((name) => name !== node.name) });
  keep(turn, node);
}

/** Removes `node` on behalf of this node's user: spreads the news, and tells the node itself. */
export function removeNode(turn: ScampTurn, node: NodeSpec): void {
  const { self } = turn.state;
  if (node.name === self.name) return unsubscribe(turn, removalOf(self));
  const known = find(neighboursOf(turn.state), node.name) ?? node;
  const newest = known.incarnation > node.incarnation ? known : node;
  turn.send(newest, { type: "left", ...removalOf(newest) });
  onLeft(turn, removalOf(newest));
}

/** That incarnation of a node is over: forgets it and passes the news on, once. */
export function onLeft(turn: ScampTurn, gone: Departure, from?: NodeSpec): void {
  const { self, view, inView, subscribing } = turn.state;
  const { name, incarnation, isRemoval } = gone;
  if (name === self.name) {
    if (isEndOf(gone, self)) unsubscribe(turn, gone);
    return;
  }
  // Who retires its own former incarnation was away, and may not know who left meanwhile.
  if (from?.name === name && from.incarnation > incarnation) sendLatestDepartures(turn, from);
  const departures = withDeparture(turn.state.departures, gone);
  if (departures === turn.state.departures) return;
  turn.set({ departures });
  const known = find(neighboursOf(turn.state), name);
  if (known !== undefined && isEndOf(gone, known)) {
    if (findArc(view, name) !== undefined) {
      turn.set({ vacated: [...turn.state.vacated.filter((other) => other !== name).slice(1 - VACATED_MAX), name] });
    }
    turn.set({ view: withoutArc(view, name), inView: withoutArc(inView, name) });
    if (subscribing?.via.name === name) turn.set({ subscribing: null });
  }
  const others = turn.connected(neighboursOf(turn.state), [name, ...(from ? [from.name] : [])]);
  for (const to of sample(others, FANOUT, turn.context.random)) {
    turn.send(to, { type: "left", name, incarnation, isRemoval });
  }
}

/**
 * Leaves (section 2.2): of those that have this node in their view, all but c + 1 put one of its own view in its place, in turn, so
 * that the number of arcs falls as that of nodes does. The others do so only where none would be left otherwise.
 */
function unsubscribe(turn: ScampTurn, { incarnation }: Departure): void {
  const { self, view, inView, departures } = turn.state;
  const end = removalOf({ name: self.name, incarnation: Math.max(incarnation, self.incarnation) });
  const successors = ends(view);
  const replaced = Math.max(0, inView.length - turn.config.c - 1);
  for (const [index, { node }] of inView.entries()) {
    const successor = successors[index % successors.length];
    if (successor !== undefined) turn.send(node, { type: "replace", node: successor, isSpare: index >= replaced });
  }
  for (const node of neighboursOf(turn.state)) turn.send(node, { type: "left", ...end });
  turn.set({
    removed: true,
    view: [],
    inView: [],
    subscribing: null,
    heardOf: [],
    departures: withDeparture(departures, end),
  });
}

/** The leaver `from` is to be replaced in the view by `node` or, if that is there already, somewhere else. */
export function onReplace(turn: ScampTurn, from: NodeSpec, node: NodeSpec, isSpare: boolean): void {
  const { view, vacated } = turn.state;
  // Otherwise a member could put as many nodes into the view as it likes.
  if (findArc(view, from.name) === undefined && !vacated.includes(from.name)) return;
  turn.set({ view: withoutArc(view, from.name), vacated: vacated.filter((name) => name !== from.name) });
  if (!meet(turn, node) || (isSpare && turn.state.view.length > 0)) return;
  if (node.name !== turn.state.self.name && findArc(turn.state.view, node.name) === undefined) keep(turn, node);
  else spread(turn, node, 1);
}

/** Forgets nodes without a word. */
export function pruneNodes(turn: ScampTurn, nodes: View): void {
  let { view, inView, subscribing, heardOf } = turn.state;
  for (const { name } of nodes) {
    view = withoutArc(view, name);
    inView = withoutArc(inView, name);
    heardOf = without(heardOf, name);
    if (subscribing?.via.name === name) subscribing = null;
  }
  turn.set({ view, inView, subscribing, heardOf });
}

/**
 * Goes on with what a former incarnation of this node knew: that incarnation is retired everywhere, and this one subscribes as soon as
 * a connection is there.
 */
export function resume(turn: ScampTurn, view: View, inView: View): void {
  const { self, round } = turn.state;
  const { random } = turn.context;
  for (const node of view.slice(0, turn.config.viewSizeMax)) {
    turn.set({ view: withArc(turn.state.view, turn.arcTo(node, round + turn.config.lease)) });
  }
  const former = { name: self.name, incarnation: self.incarnation - 1, isRemoval: false };
  for (const node of [...sample(view, FANOUT, random), ...sample(inView, FANOUT, random)]) {
    turn.send(node, { type: "left", ...former });
  }
  if (view.length > 0) turn.set({ renewAt: round + RESUME_ROUNDS });
}

/** Rounds in which the connections of a restarted node are likely to be open again. */
const RESUME_ROUNDS = 2;
