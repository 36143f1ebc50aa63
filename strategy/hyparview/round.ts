// Copyright 2026 the Partisan peer-service authors. MIT license.

import { NONE_PASSED } from "../quota.ts";
import { has, pick } from "../view.ts";
import { fillActive, onRequestFailed, requestLink } from "./links.ts";
import { shuffleInTime } from "./shuffle.ts";
import { type HyParViewTurn, nodesOf } from "./state.ts";
import { triedAgain } from "./views.ts";
import { optimizeInTime } from "./xbot.ts";

/** With fewer neighbours than this a node keeps those that it has: two can be all that hold a ring together. */
const SWAP_NEIGHBOURS_MIN = 3;

/** Does the work of one gossip interval. */
export function passRound(turn: HyParViewTurn): void {
  const { round, pending } = turn.state;
  for (const { node, due } of pending) if (due <= round) onRequestFailed(turn, node);
  retryLost(turn);
  fillActive(turn);
  if (turn.state.swapAt <= round) swapNeighbour(turn);
  optimizeInTime(turn);
  shuffleInTime(turn);
  // At the end, so that what was asked for in this round has a whole interval to be answered in.
  turn.set({ round: round + 1, passed: NONE_PASSED });
}

/** Tries one of the neighbours that went down. It cannot refuse: it may be all that connects two halves. */
function retryLost(turn: HyParViewTurn): void {
  const { round, pending } = turn.state;
  const lost = turn.state.lost.filter(({ since }) => round - since < turn.config.forgetAfter);
  const due = lost.find((entry) =>
    entry.retryAt <= round && !pending.some(({ node }) => node.name === entry.node.name)
  );
  if (due === undefined) {
    if (lost.length < turn.state.lost.length) turn.set({ lost });
    return;
  }
  turn.set({ lost: lost.map((entry) => entry === due ? triedAgain(entry, round, turn.context.random) : entry) });
  requestLink(turn, due.node, "high");
}

/**
 * Not in the paper: asks a node in reserve to be a neighbour in the place of another one. Newcomers that come faster than their
 * walks end find only each other, and their graph is more of a chain than a random one; nothing else would
 * ever change that. Each swap lets the next one wait for twice as long, so that links last in a cluster that is old.
 * In one that is so small that it hardly fills the reserve everyone is near anyway.
 */
function swapNeighbour(turn: HyParViewTurn): void {
  const { round, active, passive, pending, swapWait } = turn.state;
  const { random } = turn.context;
  turn.set({ swapAt: round + Math.ceil(swapWait * (0.5 + random())), swapWait: 2 * swapWait });
  if (active.length < SWAP_NEIGHBOURS_MIN || 2 * passive.length < turn.config.passiveSize) return;
  const asked = nodesOf(pending);
  const other = pick(passive.filter(({ name }) => !has(asked, name)), random);
  if (other !== undefined) requestLink(turn, other, "high");
}
