// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hashString } from "../../wire/hash.ts";
import { hasDeparted } from "../departures.ts";
import { NONE_PASSED } from "../quota.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { has, pick } from "../view.ts";
import { ends, validArcs, validOrDownArcs } from "./arcs.ts";
import { neighboursOf, NEVER, type ScampTurn, type Subscribing } from "./state.ts";
import { hearOf, MISSED_HEARTBEATS, subscribe, subscribeAgain, tryOut } from "./subscription.ts";

/** Rounds for which a node may be down before it is made up for. */
const PATIENCE_ROUNDS = 5;

/** Does the work of one gossip interval. */
export function passRound(turn: ScampTurn): void {
  expireArcs(turn);
  keepSubscribed(turn);
  makeUp(turn);
  if (turn.config.heartbeat < NEVER) sendHeartbeats(turn);
  turn.set({ round: turn.state.round + 1, passed: NONE_PASSED, subscribed: [] });
}

/** Drops what has been down for too long and, where subscriptions end, those that ended (section 3.2). */
function expireArcs(turn: ScampTurn): void {
  const { view, inView, round } = turn.state;
  const { forgetAfter } = turn.config;
  const left = validOrDownArcs(view, round, forgetAfter);
  // The very last ones are the only way back to the cluster.
  turn.set({ view: left.length > 0 ? left : view, inView: validArcs(inView, round, forgetAfter) });
}

function keepSubscribed(turn: ScampTurn): void {
  const { view, inView, subscribing, renewAt, round } = turn.state;
  if (subscribing !== null) {
    if (subscribing.due > round) return;
    if (subscribing.tries > 0 || view.length + inView.length === 0) return askAgain(turn, subscribing);
    turn.set({ subscribing: null });
  }
  const acquaintance = view.length === 0 ? pick(turn.connected(ends(inView)), turn.context.random) : undefined;
  if (acquaintance !== undefined) subscribe(turn, acquaintance);
  else if (turn.isAlone) askStranger(turn);
  else if (round >= renewAt) subscribeAgain(turn);
}

/** Asks the same node to let this one in, or another one where that is out of reach. */
function askAgain(turn: ScampTurn, { via, tries }: Subscribing): void {
  const other = turn.context.connected.has(via.name) ? undefined : stranger(turn);
  // It may come back.
  if (other !== undefined) hearOf(turn, via);
  subscribe(turn, other ?? via, tries);
}

/**
 * Tries out a node that was heard of where half of the view, or more, is out of reach for long. The few nodes that a crash has cut off from all
 * others have no way back along the arcs that are left. Not in the papers.
 */
function makeUp(turn: ScampTurn): void {
  const { view, round } = turn.state;
  const lost = view.filter(({ downSince }) => downSince !== null && round - downSince >= PATIENCE_ROUNDS);
  if (lost.length === 0 || 2 * lost.length < view.length) return;
  const node = stranger(turn);
  if (node !== undefined) tryOut(turn, node);
}

/** A node that was heard of, and that is none of the neighbours. */
function stranger(turn: ScampTurn): NodeSpec | undefined {
  const { heardOf, departures } = turn.state;
  const known = neighboursOf(turn.state);
  const isStrange = (node: NodeSpec) => !has(known, node.name) && !hasDeparted(departures, node);
  return pick(heardOf.filter(isStrange), turn.context.random);
}

/**
 * Asks a node that was heard of in passing: it may be left where a crash took every node on either side of an arc. Not in the
 * papers.
 */
function askStranger(turn: ScampTurn): void {
  const node = stranger(turn);
  if (node !== undefined) subscribe(turn, node, 1);
}

/**
 * Tells a part of the view that it is in the view: each node every `heartbeat` rounds. A node that hears it from no other is isolated, as
 * nothing that is sent along views would reach it, and subscribes again (section 3.3).
 */
function sendHeartbeats(turn: ScampTurn): void {
  const { view, inView, round, keptAt } = turn.state;
  const { heartbeat } = turn.config;
  const due = ends(view).filter(({ name }) => (hashString(name) + round) % heartbeat === 0);
  for (const node of turn.connected(due)) turn.send(node, { type: "kept" });
  if (inView.length > 0 || turn.isAlone) turn.set({ keptAt: round });
  else if (round - keptAt >= MISSED_HEARTBEATS * heartbeat) {
    turn.set({ keptAt: round });
    subscribeAgain(turn);
  }
}
