// Copyright 2026 the Partisan peer-service authors. MIT license.

import { fillActive, onRequestFailed, requestLink } from "./links.ts";
import { startShuffle } from "./shuffle.ts";
import type { HyParViewTurn } from "./state.ts";
import { triedAgain } from "./views.ts";

/** What is done once every gossip interval. */
export function passRound(turn: HyParViewTurn): void {
  const { round, pending } = turn.state;
  for (const { node, due } of pending) if (due <= round) onRequestFailed(turn, node);
  retryLost(turn);
  fillActive(turn);
  if (round % turn.config.shuffleInterval === 0) startShuffle(turn);
  // At the end, so that what was asked for in this round has a whole interval to be answered in.
  turn.set({ round: round + 1 });
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
