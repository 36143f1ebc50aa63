// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import { has, pick, without } from "../view.ts";
import { replaceable, slotsWith } from "./reservations.ts";
import { entriesWithout, type HyParViewTurn, type LostPeer } from "./state.ts";

/** Neighbours that went down and are still tried; the oldest are given up first. */
const LOST_MAX = 16;
/** Rounds between two tries double up to this. */
const LOST_WAIT_MAX = 64;

/** Drops a name from all views. */
export function forget(turn: HyParViewTurn, name: string): void {
  const { passive, pending, lost } = turn.state;
  dropActive(turn, name);
  turn.set({
    passive: without(passive, name),
    pending: entriesWithout(pending, name),
    lost: entriesWithout(lost, name),
  });
}

/** Makes `node` a neighbour; another one has to go when there is no room. */
export function addActive(turn: HyParViewTurn, node: NodeSpec): void {
  if (has(turn.state.active, node.name)) return;
  forget(turn, node.name);
  const slots = slotsWith(turn, node);
  while (turn.state.active.length >= slots) {
    const victim = pick(replaceable(turn.state), turn.context.random)!;
    turn.send(victim, { type: "disconnect" });
    demote(turn, victim);
  }
  turn.set({ active: [...turn.state.active, node] });
}

/** Makes a neighbour one of the others. */
export function demote(turn: HyParViewTurn, node: NodeSpec): void {
  dropActive(turn, node.name);
  addPassive(turn, node);
}

/** The slot that gets free is worth asking around for. */
function dropActive(turn: HyParViewTurn, name: string): void {
  const { active } = turn.state;
  if (has(active, name)) turn.set({ active: without(active, name), fillAt: 0, fillWait: 1 });
}

/**
 * Remembers a node for later. When there is no room another one has to go: one of `dispensable` if any is there.
 * Section 4.4 of the paper.
 */
export function addPassive(turn: HyParViewTurn, node: NodeSpec, dispensable: ReadonlySet<string> = new Set()): void {
  const { self, active, lost } = turn.state;
  let { passive } = turn.state;
  if (node.name === self.name || has(active, node.name) || has(passive, node.name)) return;
  if (lost.some((entry) => entry.node.name === node.name)) return;
  if (passive.length >= turn.config.passiveSize) {
    const first = passive.filter(({ name }) => dispensable.has(name));
    passive = without(passive, pick(first.length > 0 ? first : passive, turn.context.random)!.name);
  }
  turn.set({ passive: [...passive, node] });
}

/** Remembers a neighbour that went down. */
export function addLost(turn: HyParViewTurn, node: NodeSpec): void {
  forget(turn, node.name);
  turn.stir();
  const { lost, round } = turn.state;
  turn.set({ lost: [...lost.slice(1 - LOST_MAX), { node, since: round, retryAt: round + 1, wait: 2 }] });
}

/** The entry after a try in `round`. */
export function triedAgain(entry: LostPeer, round: number, random: () => number): LostPeer {
  const retryAt = round + Math.ceil(entry.wait * (0.5 + random()));
  return { ...entry, retryAt, wait: Math.min(2 * entry.wait, LOST_WAIT_MAX) };
}
