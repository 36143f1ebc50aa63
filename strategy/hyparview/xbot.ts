// Copyright 2026 the Partisan peer-service authors. MIT license.

import { sample } from "../../runtime/sample.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { has, type View } from "../view.ts";
import { hasRoom } from "./links.ts";
import type { HyParViewMessage } from "./messages.ts";
import { replaceable } from "./reservations.ts";
import type { HyParViewTurn, PendingExchange } from "./state.ts";
import { addActive, demote } from "./views.ts";

/*
 * J. Leitão, J. P. Marques, J. O. Pereira and L. Rodrigues, "X-BOT: A Protocol for Resilient Optimization of Unstructured
 * Overlays" (SRDS 2009). Four nodes exchange two links for two cheaper ones: the initiator i and its neighbour o (old), the candidate c and
 * its neighbour d (disconnected). Before: i–o and c–d; afterwards: i–c and d–o. So every node has as many neighbours as before, and the
 * graph remains as robust as it was. Each node keeps some neighbours, unbiased ones, out of any exchange. Here these are those that cost most,
 * which hold parts of the overlay together that are far from each other, and each of the four nodes observes that.
 *
 *   i → c optimization, c → d replace, d → o switch, o → i disconnectWait, o → d switchReply, d → c replaceReply, c → i optimizationReply
 */

/** Rounds in which a node that was asked must have answered. An answer that comes later, or to no question, changes nothing. */
const ANSWER_ROUNDS = 10;
/** Exchanges that may be under way at one node. */
const EXCHANGES_MAX = 4;

type Optimization = Extract<HyParViewMessage, { readonly type: "optimization" }>;
type OptimizationReply = Extract<HyParViewMessage, { readonly type: "optimizationReply" }>;
type Replace = Extract<HyParViewMessage, { readonly type: "replace" }>;
type ReplaceReply = Extract<HyParViewMessage, { readonly type: "replaceReply" }>;
type Switch = Extract<HyParViewMessage, { readonly type: "switch" }>;
type SwitchReply = Extract<HyParViewMessage, { readonly type: "switchReply" }>;

/** Now and then: looks whether a node in reserve would be a cheaper neighbour than one that can be exchanged. */
export function optimizeInTime(turn: HyParViewTurn): void {
  const { xbot, activeSize } = turn.config;
  const { self, round, active, passive, pending } = turn.state;
  if (xbot === null || round % xbot.interval !== 0 || active.length < activeSize || pending.length > 0) return;
  const [old] = biased(turn);
  if (old === undefined) return;
  const most = xbot.cost(self, old);
  const candidate = sample(passive, xbot.scanned, turn.context.random).find((node) => xbot.cost(self, node) < most);
  if (candidate !== undefined) ask(turn, candidate, old, { type: "optimization", old });
}

/** At the candidate: `from` wants to be a neighbour, which is cheaper for it. */
export function onOptimization(turn: HyParViewTurn, from: NodeSpec, { old }: Optimization): void {
  const isFree = !has(turn.state.active, from.name) && from.name !== old.name;
  if (isFree && hasRoom(turn, from)) {
    addActive(turn, from);
    turn.send(from, { type: "optimizationReply", accepted: true, replaced: false, old });
    return;
  }
  const [disconnected] = biased(turn);
  const isWorthIt = isFree && disconnected !== undefined && disconnected.name !== old.name &&
    isCheaper(turn, from, disconnected);
  const hasAsked = isWorthIt && ask(turn, disconnected, from, { type: "replace", initiator: from, old });
  if (!hasAsked) turn.send(from, { type: "optimizationReply", accepted: false, replaced: false, old });
}

/** At the disconnected node: the candidate, `from`, would have another neighbour in its place. */
export function onReplace(turn: HyParViewTurn, from: NodeSpec, { initiator, old }: Replace): void {
  const { self, active } = turn.state;
  const isFree = has(biased(turn), from.name) && !has(active, old.name) && old.name !== self.name;
  const isWorthIt = isFree && isCheaper(turn, old, from);
  const hasAsked = isWorthIt && ask(turn, old, from, { type: "switch", initiator, candidate: from });
  if (!hasAsked) turn.send(from, { type: "replaceReply", accepted: false, initiator, old });
}

/** At the old neighbour of the initiator: `from` would take the place of that. */
export function onSwitch(turn: HyParViewTurn, from: NodeSpec, { initiator, candidate }: Switch): void {
  const known = biased(turn).find(({ name }) => name === initiator.name);
  const accepted = known !== undefined && !has(turn.state.active, from.name);
  if (accepted) {
    turn.send(known, { type: "disconnectWait" });
    demote(turn, known);
    addActive(turn, from);
  }
  turn.send(from, { type: "switchReply", accepted, initiator, candidate });
}

/** At the disconnected node: `from`, the old neighbour of the initiator, has decided. */
export function onSwitchReply(turn: HyParViewTurn, from: NodeSpec, reply: SwitchReply): void {
  const { accepted, initiator, candidate } = reply;
  if (!isAnswer(turn, from, candidate)) return;
  if (accepted) exchange(turn, candidate, from);
  turn.send(candidate, { type: "replaceReply", accepted, initiator, old: from });
}

/** At the candidate: its neighbour `from` has gone over to `old`, or has not. */
export function onReplaceReply(turn: HyParViewTurn, from: NodeSpec, { accepted, initiator, old }: ReplaceReply): void {
  if (!isAnswer(turn, from, initiator)) return;
  if (accepted) exchange(turn, from, initiator);
  turn.send(initiator, { type: "optimizationReply", accepted, replaced: accepted, old });
}

/** At the initiator: the candidate, `from`, has decided. */
export function onOptimizationReply(turn: HyParViewTurn, from: NodeSpec, reply: OptimizationReply): void {
  const { accepted, replaced, old } = reply;
  if (!isAnswer(turn, from, old) || !accepted) return;
  if (!replaced && has(turn.state.active, old.name)) turn.send(old, { type: "disconnect" });
  exchange(turn, old, from);
}

/** At the initiator: `from` is a neighbour no more. The slot is not offered to others, as the candidate takes it. */
export function onDisconnectWait(turn: HyParViewTurn, from: NodeSpec): void {
  if (has(turn.state.active, from.name)) demote(turn, from);
}

/** Asks a node for its part in an exchange, unless too many are under way. @returns Whether it was asked. */
function ask(turn: HyParViewTurn, node: NodeSpec, about: NodeSpec, message: HyParViewMessage): boolean {
  const { round, exchanges } = turn.state;
  const underWay = exchanges.filter((entry) => entry.due > round && !isAbout(entry, node, about));
  if (underWay.length >= EXCHANGES_MAX) return false;
  turn.set({ exchanges: [...underWay, { asked: node.name, about, due: round + ANSWER_ROUNDS }] });
  turn.send(node, message);
  return true;
}

/** Whether `from` was asked for an exchange with `about`: otherwise any member could have this node drop a neighbour of its choice. */
function isAnswer(turn: HyParViewTurn, from: NodeSpec, about: NodeSpec): boolean {
  const { round, exchanges } = turn.state;
  const asked = exchanges.find((entry) => isAbout(entry, from, about));
  if (asked === undefined) return false;
  turn.set({ exchanges: exchanges.filter((entry) => entry !== asked) });
  return asked.due > round;
}

function isAbout(entry: PendingExchange, node: NodeSpec, about: NodeSpec): boolean {
  return entry.asked === node.name && entry.about.name === about.name && entry.about.incarnation === about.incarnation;
}

function exchange(turn: HyParViewTurn, old: NodeSpec, next: NodeSpec): void {
  const known = turn.state.active.find(({ name }) => name === old.name);
  if (known !== undefined) demote(turn, known);
  addActive(turn, next);
}

/** The neighbours that may be exchanged, the most expensive first. None where this node does not optimize. */
function biased(turn: HyParViewTurn): View {
  const { xbot } = turn.config;
  if (xbot === null) return [];
  const { self } = turn.state;
  const costs = replaceable(turn.state).map((node) => ({ node, cost: xbot.cost(self, node) }));
  return costs.sort((a, b) => b.cost - a.cost).slice(xbot.unbiased).map(({ node }) => node);
}

function isCheaper({ config: { xbot }, state: { self } }: HyParViewTurn, one: NodeSpec, other: NodeSpec): boolean {
  return xbot !== null && xbot.cost(self, one) < xbot.cost(self, other);
}
