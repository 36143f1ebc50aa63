// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import { has, pick, without } from "../view.ts";
import { sample } from "../../runtime/sample.ts";
import type { Priority } from "./messages.ts";
import { isExpected, slotsWith, vacancies } from "./reservations.ts";
import { entriesWithout, type HyParViewTurn, nodesOf } from "./state.ts";
import { addActive, addLost, addPassive, demote } from "./views.ts";

/*
 * Both ends of a link must come to agree on whether they are neighbours. The one that asks is a neighbour only once it
 * was accepted, so that in each direction the messages "accept" and "disconnect" come in the order in which the other
 * end went through these states. Where a broken connection lost one of them, the next walk that comes along the link
 * from a stranger is answered with "disconnect".
 */

/** Rounds between two attempts to fill the active view double up to this while no node has room. */
export const FILL_WAIT_MAX = 32;

/** Asks `node` to become a neighbour. */
export function requestLink(
  turn: HyParViewTurn,
  node: NodeSpec,
  priority: Priority,
  { joining = false, isNamed = false } = {},
): void {
  const { round } = turn.state;
  const { activeSize } = turn.config;
  const pending = entriesWithout(turn.state.pending, node.name);
  if (!joining && pending.length >= 2 * activeSize) return;
  // What others name leaves room for what this node chooses.
  if (isNamed && pending.filter((entry) => entry.isNamed).length >= activeSize) return;
  turn.set({ pending: [...pending, { node, due: round + 1, joining, isNamed, hasFailed: false }] });
  turn.send(node, joining ? { type: "join" } : { type: "neighbour", priority });
}

/**
 * Asks as many known nodes as there are free slots to become neighbours (4.3). A node without neighbours
 * cannot be refused, and tries those again that once went down.
 */
export function fillActive(turn: HyParViewTurn, except?: string): void {
  const { active, passive, pending, lost, round, fillAt } = turn.state;
  const kept = vacancies(turn.state).length;
  const asking = pending.filter(({ isNamed, hasFailed }) => !isNamed && !hasFailed);
  const free = turn.config.activeSize - kept - active.length - asking.length;
  const isAlone = active.length === 0;
  if (free + kept <= 0 || (!isAlone && round < fillAt)) return;
  const asked = nodesOf(pending);
  const candidates = (isAlone ? [...passive, ...nodesOf(lost)] : passive)
    .filter(({ name }) => name !== except && !has(asked, name));
  const expected = sample(candidates.filter((node) => isExpected(turn.state, node)), kept, turn.context.random);
  const others = candidates.filter((node) => !expected.includes(node));
  for (const node of [...expected, ...sample(others, Math.max(0, free), turn.context.random)]) {
    requestLink(turn, node, isAlone ? "high" : "low");
  }
}

/** `from` asks to become a neighbour. */
export function onNeighbour(turn: HyParViewTurn, from: NodeSpec, priority: Priority): void {
  const { active } = turn.state;
  const isWelcome = priority === "high" || has(active, from.name) || hasRoom(turn, from);
  if (isWelcome) addActive(turn, from);
  turn.send(from, { type: isWelcome ? "accept" : "reject" });
}

/** `from` is our neighbour now. */
export function onAccept(turn: HyParViewTurn, from: NodeSpec): void {
  const { active, pending } = turn.state;
  if (has(active, from.name)) return;
  const wasAsked = pending.some(({ node }) => node.name === from.name);
  if (wasAsked || hasRoom(turn, from)) addActive(turn, from);
  else turn.send(from, { type: "disconnect" });
}

/** Whether `node` can become a neighbour, and no neighbour has to go for it, except one in the slot that is kept for it. */
export function hasRoom(turn: HyParViewTurn, node: NodeSpec): boolean {
  return turn.state.active.length < slotsWith(turn, node) || isExpected(turn.state, node);
}

/** `from` has no room for us. In a cluster in which no node has, some cannot fill their views, and need not ask every round. */
export function onReject(turn: HyParViewTurn, from: NodeSpec): void {
  const { pending, round, fillAt, fillWait } = turn.state;
  addPassive(turn, from);
  // Only the answer to a question says that room is scarce.
  if (!pending.some(({ node }) => node.name === from.name)) return;
  turn.set({ pending: entriesWithout(pending, from.name) });
  if (fillAt <= round) turn.set({ fillAt: round + fillWait, fillWait: Math.min(2 * fillWait, FILL_WAIT_MAX) });
}

/** `from` is our neighbour no more. A message about a link that is only asked for is from an earlier one. */
export function onDisconnect(turn: HyParViewTurn, from: NodeSpec): void {
  if (!has(turn.state.active, from.name)) return;
  demote(turn, from);
  fillActive(turn, from.name);
}

/** `from` wants to enter the cluster through this node (4.2). */
export function onJoin(turn: HyParViewTurn, from: NodeSpec): void {
  turn.stir();
  addActive(turn, from);
  turn.send(from, { type: "accept" });
  for (const node of turn.state.active) {
    if (node.name !== from.name) {
      turn.send(node, { type: "forwardJoin", node: from, ttl: turn.config.activeWalk });
    }
  }
}

/** A newcomer's walk came by (4.2). Where it ends, the newcomer is asked to become a neighbour. */
export function onForwardJoin(turn: HyParViewTurn, from: NodeSpec, node: NodeSpec, ttl: number): void {
  turn.stir();
  const { active } = turn.state;
  const next = ttl === 0 ? undefined : nextOnWalk(turn, [from.name, node.name]);
  if (next === undefined) {
    if (!has(active, node.name)) requestLink(turn, node, active.length === 0 ? "high" : "low", { isNamed: true });
    return;
  }
  if (ttl === turn.config.passiveWalk) addPassive(turn, node);
  turn.send(next, { type: "forwardJoin", node, ttl: Math.min(ttl, turn.config.activeWalk) - 1 });
}

/** A random neighbour that a walk can go on to. */
export function nextOnWalk(turn: HyParViewTurn, except: readonly string[]): NodeSpec | undefined {
  return pick(turn.state.active.filter(({ name }) => !except.includes(name)), turn.context.random);
}

/** An asked node cannot be reached. Another one is asked at once; but none twice in one interval. */
export function onUnreachable(turn: HyParViewTurn, node: NodeSpec): void {
  const { active, pending } = turn.state;
  if (active.length > 0) return onRequestFailed(turn, node);
  turn.set({ pending: pending.map((entry) => entry.node.name === node.name ? { ...entry, hasFailed: true } : entry) });
}

/** An asked node cannot be reached, or did not answer in time. */
export function onRequestFailed(turn: HyParViewTurn, node: NodeSpec): void {
  const { active, passive, pending } = turn.state;
  const isContact = pending.some((entry) => entry.joining && entry.node.name === node.name);
  turn.stir();
  turn.set({ pending: entriesWithout(pending, node.name) });
  if (isContact) addLost(turn, node);
  // Without any neighbour it may well be this node that cannot be reached: then all others are kept.
  else if (active.length > 0) turn.set({ passive: without(passive, node.name) });
}
