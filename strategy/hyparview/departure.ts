// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import { canBe, type Departure, followUp, hasDeparted, isEndOf, removalOf, withDeparture } from "../departures.ts";
import { find, union } from "../view.ts";
import { fillActive } from "./links.ts";
import { type HyParViewState, type HyParViewTurn, knownMembers, nodesOf } from "./state.ts";
import { addPassive, forget } from "./views.ts";

/**
 * Takes notice of a node that another one spoke of. A newer incarnation of a known node retires the older one, everywhere.
 *
 * @returns Whether it is another node, which is still in the cluster as far as is known here.
 */
export function meet(turn: HyParViewTurn, node: NodeSpec): boolean {
  const { self, departures } = turn.state;
  if (node.name === self.name || hasDeparted(departures, node) || !canBe(node, turn.context)) return false;
  const known = knownNode(turn.state, node.name);
  if (known === undefined || known.incarnation === node.incarnation) return true;
  if (known.incarnation > node.incarnation) return false;
  onLeft(turn, { name: node.name, incarnation: known.incarnation, isRemoval: false });
  addPassive(turn, followUp(node, known));
  return true;
}

/**
 * Takes notice of a node that speaks itself. Its own word counts for more than those of others: were it known in a later incarnation than it says, that
 * would be one which another node has made up.
 *
 * @returns As {@linkcode meet} does.
 */
export function meetItself(turn: HyParViewTurn, node: NodeSpec): boolean {
  const known = knownNode(turn.state, node.name);
  if (known !== undefined && known.incarnation > node.incarnation) forget(turn, node.name);
  return meet(turn, node);
}

function knownNode({ active, passive, pending, lost }: HyParViewState, name: string): NodeSpec | undefined {
  return find(active, name) ?? find(passive, name) ??
    [...pending, ...lost].find((entry) => entry.node.name === name)?.node;
}

/** Removes `node` on behalf of this node's user: tells the neighbours, who pass it on, and the node itself. */
export function removeNode(turn: HyParViewTurn, node: NodeSpec): void {
  const known = find(knownMembers(turn.state), node.name) ?? node;
  const newest = known.incarnation > node.incarnation ? known : node;
  if (node.name !== turn.state.self.name) turn.send(newest, { type: "left", ...removalOf(newest) });
  onLeft(turn, removalOf(newest));
}

/** That incarnation of a node is over: forgets it and passes the news on, once. */
export function onLeft(turn: HyParViewTurn, gone: Departure, from?: NodeSpec): void {
  const { self, active, pending } = turn.state;
  const departures = withDeparture(turn.state.departures, gone);
  if (departures === turn.state.departures || (gone.name === self.name && !isEndOf(gone, self))) return;
  for (const node of union(active, nodesOf(pending))) {
    if (node.name !== gone.name && node.name !== from?.name) turn.send(node, { type: "left", ...departureFrom(gone) });
  }
  turn.set({ departures });
  turn.stir();
  if (gone.name === self.name) {
    turn.set({ removed: true, active: [], passive: [], pending: [], lost: [], exchanges: [], shuffled: [] });
    return;
  }
  const known = find(knownMembers(turn.state), gone.name);
  if (known !== undefined && isEndOf(gone, known)) forget(turn, gone.name);
  fillActive(turn);
}

/** A departure alone, without the message that it came in. */
function departureFrom({ name, incarnation, isRemoval }: Departure): Departure {
  return { name, incarnation, isRemoval };
}
