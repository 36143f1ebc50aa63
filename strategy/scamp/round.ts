// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hashString } from "../../wire/hash.ts";
import { hasDeparted } from "../departures.ts";
import { pick } from "../view.ts";
import { ends, validArcs, validOrDownArcs } from "./arcs.ts";
import { NEVER, type ScampTurn } from "./state.ts";
import { MISSED_HEARTBEATS, subscribe, subscribeAgain } from "./subscription.ts";

/** Does the work of one gossip interval. */
export function passRound(turn: ScampTurn): void {
  expireArcs(turn);
  keepSubscribed(turn);
  if (turn.config.heartbeat < NEVER) sendHeartbeats(turn);
  turn.set({ round: turn.state.round + 1 });
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
    if (subscribing.tries > 0 || view.length + inView.length === 0) {
      return subscribe(turn, subscribing.via, subscribing.tries);
    }
    turn.set({ subscribing: null });
  }
  const acquaintance = view.length === 0 ? pick(turn.connected(ends(inView)), turn.context.random) : undefined;
  if (acquaintance !== undefined) subscribe(turn, acquaintance);
  else if (turn.isAlone) askStranger(turn);
  else if (round >= renewAt) subscribeAgain(turn);
}

/**
 * Asks a node that was heard of in passing: it may be left where a crash took every node on either side of an arc. Not in the
 * papers.
 */
function askStranger(turn: ScampTurn): void {
  const { heardOf, departures } = turn.state;
  const stranger = pick(heardOf.filter((node) => !hasDeparted(departures, node)), turn.context.random);
  if (stranger !== undefined) subscribe(turn, stranger, 1);
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
