// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import { departureOf, isCredible } from "../departures.ts";
import { find, pick, union, type View } from "../view.ts";
import { sample } from "../../runtime/sample.ts";
import { meet, onLeft } from "./departure.ts";
import { nextOnWalk } from "./links.ts";
import type { HyParViewMessage } from "./messages.ts";
import type { HyParViewTurn } from "./state.ts";
import { addPassive } from "./views.ts";

/*
 * Section 4.4 of the paper, but for the way of the answer: there it is a connection of its own, here it is the links along which
 * the question came, since a connection costs more than these few hops and makes both ends believe for a moment that
 * they have a new neighbour.
 */

/** The wait from one shuffle to the next doubles up to so many times the interval while the cluster does not change. */
const CALM_MAX = 16;

/**
 * Shuffles when it is time. Not in the paper, where that is always after the same interval: views that know the cluster learn nothing new from
 * each other while it does not change, and shuffles are nearly all that an idle overlay sends.
 */
export function shuffleInTime(turn: HyParViewTurn): void {
  const { round, shuffleAt, shuffleWait } = turn.state;
  if (round < shuffleAt) return;
  const longest = CALM_MAX * turn.config.shuffleInterval;
  turn.set({ shuffleAt: round + shuffleWait, shuffleWait: Math.min(2 * shuffleWait, longest) });
  startShuffle(turn);
}

/** Starts a walk that tells a node far away of this node and of some that it knows. */
function startShuffle(turn: HyParViewTurn): void {
  const { self, active, passive } = turn.state;
  const { random } = turn.context;
  const { shuffleActive, shufflePassive, activeWalk } = turn.config;
  const neighbour = pick(active, random);
  if (neighbour === undefined) return;
  const shuffled = union(sample(active, shuffleActive, random), sample(passive, shufflePassive, random));
  turn.set({ shuffled, isShuffling: true });
  turn.send(neighbour, { type: "shuffle", ttl: activeWalk, nodes: [self, ...shuffled], path: [] });
}

/** A shuffle came by: passes it on or, at the end of the walk, trades as many of our own nodes for its. */
export function onShuffle(
  turn: HyParViewTurn,
  from: NodeSpec,
  { ttl, nodes, path }: Extract<HyParViewMessage, { type: "shuffle" }>,
): void {
  const origin = nodes[0]!;
  const left = Math.min(ttl, turn.config.activeWalk) - 1;
  const next = left > 0 ? nextOnWalk(turn, [from.name, origin.name]) : undefined;
  if (next !== undefined) {
    overhear(turn, nodes);
    turn.send(next, { type: "shuffle", ttl: left, nodes, path: [...path, from.name].slice(-turn.config.activeWalk) });
    return;
  }
  const given = sample(turn.state.passive, nodes.length, turn.context.random);
  const { departures } = turn.state;
  const gone = nodes.map((node) => departureOf(departures, node)).filter((departure) => departure !== undefined);
  turn.send(from, { type: "shuffleReply", nodes: given, departures: gone, path });
  // As many as a shuffle of this node tells: a longer list must not take the place of all that is known here.
  integrate(turn, nodes.slice(0, 1 + turn.config.shuffleActive + turn.config.shufflePassive), given);
}

/** An answer came by: passes it on to where the shuffle came from or, at the origin, takes what it got for what it told. */
export function onShuffleReply(
  turn: HyParViewTurn,
  { nodes, departures, path }: Extract<HyParViewMessage, { type: "shuffleReply" }>,
): void {
  if (path.length > 0) {
    overhear(turn, nodes);
    const next = find(turn.state.active, path.at(-1)!);
    const left = path.slice(0, -1).slice(-turn.config.activeWalk);
    if (next !== undefined) turn.send(next, { type: "shuffleReply", nodes, departures, path: left });
    return;
  }
  const { isShuffling, shuffled } = turn.state;
  if (!isShuffling) return;
  turn.set({ isShuffling: false });
  const told = 1 + shuffled.length;
  for (const gone of departures.slice(0, told)) if (isCredible(gone, turn.context)) onLeft(turn, gone);
  integrate(turn, nodes.slice(0, told), shuffled);
}

/**
 * Takes nodes that pass by into the reserve as long as that has room. Not in the paper: it fills the reserves of newcomers within some
 * seconds, for which one shuffle of their own after another would take minutes.
 */
function overhear(turn: HyParViewTurn, nodes: View): void {
  for (const node of nodes) {
    if (turn.state.passive.length >= turn.config.passiveSize) return;
    if (meet(turn, node)) addPassive(turn, node);
  }
}

/** Remembers what was heard, in the place of what was told. */
function integrate(turn: HyParViewTurn, nodes: View, told: View): void {
  const dispensable = new Set(told.map(({ name }) => name));
  for (const node of nodes) if (meet(turn, node)) addPassive(turn, node, dispensable);
}
