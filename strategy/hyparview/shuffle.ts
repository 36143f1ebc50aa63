// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../membership/node_spec.ts";
import { pick, sample, union, type View } from "../view.ts";
import { sendDepartures } from "./departure.ts";
import { nextOnWalk } from "./links.ts";
import type { HyParViewTurn } from "./state.ts";
import { addPassive, meet } from "./views.ts";

/** Starts a walk that tells somebody far away of this node and of some whom it knows (4.4). */
export function startShuffle(turn: HyParViewTurn): void {
  const { self, active, passive } = turn.state;
  const { random } = turn.context;
  const { shuffleActive, shufflePassive, activeWalk } = turn.config;
  const neighbour = pick(active, random);
  if (neighbour === undefined) return;
  const shuffled = union(sample(active, shuffleActive, random), sample(passive, shufflePassive, random));
  turn.set({ shuffled });
  turn.send(neighbour, { type: "shuffle", ttl: activeWalk, nodes: [self, ...shuffled] });
}

/** A shuffle came by: passes it on or, at the end of the walk, trades as many of our own nodes for its. */
export function onShuffle(turn: HyParViewTurn, from: NodeSpec, nodes: View, ttl: number): void {
  const origin = nodes[0]!;
  const left = Math.min(ttl, turn.config.activeWalk) - 1;
  const next = left > 0 ? nextOnWalk(turn, [from.name, origin.name]) : undefined;
  if (next !== undefined) {
    turn.send(next, { type: "shuffle", ttl: left, nodes });
    return;
  }
  if (!meet(turn, origin)) return;
  const given = sample(turn.state.passive, nodes.length, turn.context.random);
  turn.send(origin, { type: "shuffleReply", nodes: given });
  sendDepartures(turn, origin, nodes);
  integrate(turn, nodes, given);
}

/** The other end of a shuffle traded these for what we told it. */
export function onShuffleReply(turn: HyParViewTurn, nodes: View): void {
  integrate(turn, nodes, turn.state.shuffled);
}

/** Remembers what was heard, in the place of what was told. */
function integrate(turn: HyParViewTurn, nodes: View, told: View): void {
  const dispensable = new Set(told.map(({ name }) => name));
  for (const node of nodes) if (meet(turn, node)) addPassive(turn, node, dispensable);
}
