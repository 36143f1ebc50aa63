// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import {
  departureOf,
  hasDeparted,
  isCredible,
  sendItsDeparture,
  sendLatestDepartures,
  sendOwnDeparture,
  withoutDeparture,
} from "../departures.ts";
import { mayPass, NONE_PASSED } from "../quota.ts";
import type { IncarnationEnd, Strategy, StrategyContext, Transition } from "../strategy.ts";
import { union } from "../view.ts";
import { viewSnapshotFromValue, viewSnapshotToValue } from "../view_snapshot.ts";
import { ends, findArc, markedArc } from "./arcs.ts";
import * as departure from "./departure.ts";
import { checkScampMessage, type ScampMessage } from "./messages.ts";
import { passRound } from "./round.ts";
import { neighboursOf, NEVER, type ScampConfig, type ScampState, ScampTurn, wantedPeers } from "./state.ts";
import * as subscription from "./subscription.ts";

/** Common part of both versions of SCAMP; `config` says which one it is. */
export class Scamp implements Strategy<ScampState> {
  readonly name: string;
  readonly #config: ScampConfig;

  /** The version that `config` describes. */
  constructor(config: ScampConfig) {
    this.name = config.name;
    this.#config = config;
  }

  init(self: NodeSpec, context: StrategyContext, snapshot?: unknown): Transition<ScampState> {
    const { view, inView, departures } = viewSnapshotFromValue(this.name, snapshot, self);
    const { lease } = this.#config;
    const renewAt = lease < NEVER ? Math.ceil(lease * (0.5 + 0.4 * context.random())) : NEVER;
    const none = {
      view: [],
      inView: [],
      subscribing: null,
      heardOf: [],
      vacated: [],
      passed: NONE_PASSED,
      subscribed: [],
    };
    const state = { self, removed: false, round: 0, renewAt, keptAt: 0, departures, ...none };
    return this.#turn(state, context, (turn) => departure.resume(turn, view, inView));
  }

  join(state: ScampState, peer: NodeSpec, context: StrategyContext): Transition<ScampState> {
    return this.#turn(state, context, (turn) => {
      if (peer.name === state.self.name || !departure.meet(turn, peer)) return;
      turn.set({ departures: withoutDeparture(turn.state.departures, state.self.name) });
      subscription.subscribe(turn, peer);
    });
  }

  leave(state: ScampState, node: NodeSpec, context: StrategyContext): Transition<ScampState> {
    return this.#turn(state, context, (turn) => departure.removeNode(turn, node));
  }

  up(state: ScampState, peer: NodeSpec, context: StrategyContext): Transition<ScampState> {
    return this.#turn(state, context, (turn) => {
      sendItsDeparture(turn, peer);
      if (!departure.meetItself(turn, peer)) return;
      const arc = findArc(turn.state.view, peer.name) ?? findArc(turn.state.inView, peer.name);
      if (arc === undefined) return;
      mark(turn, peer.name, null);
      // A connection that is just new took no longer than this. One that is up already has had a partition in front of it.
      if (arc.downSince === null || state.round - arc.downSince > 1) sendLatestDepartures(turn, peer);
    });
  }

  down(state: ScampState, peer: NodeSpec, context: StrategyContext): Transition<ScampState> {
    return this.#turn(state, context, (turn) => mark(turn, peer.name, state.round));
  }

  periodic(state: ScampState, context: StrategyContext): Transition<ScampState> {
    return this.#turn(state, context, passRound);
  }

  handleMessage(
    state: ScampState,
    from: NodeSpec,
    message: unknown,
    context: StrategyContext,
  ): Transition<ScampState> {
    const turn = new ScampTurn(state, context, this.#config);
    receive(turn, from, message);
    return { state: turn.state, outgoing: turn.outgoing };
  }

  prune(state: ScampState, nodes: readonly NodeSpec[], context: StrategyContext): Transition<ScampState> {
    return this.#turn(state, context, (turn) => departure.pruneNodes(turn, nodes));
  }

  members(state: ScampState): readonly NodeSpec[] {
    return state.removed ? [] : union([state.self], neighboursOf(state));
  }

  hasLeft({ departures }: ScampState, node: NodeSpec): boolean {
    return hasDeparted(departures, node);
  }

  endOf({ departures }: ScampState, node: NodeSpec): IncarnationEnd | undefined {
    return departureOf(departures, node);
  }

  peers(state: ScampState): readonly NodeSpec[] {
    return wantedPeers(state);
  }

  snapshot({ view, inView, departures }: ScampState): unknown {
    return viewSnapshotToValue(this.name, { view: ends(view), inView: ends(inView), departures });
  }

  /** Takes one event through `step`. A node that was removed does nothing any more. */
  #turn(state: ScampState, context: StrategyContext, step: (turn: ScampTurn) => void): Transition<ScampState> {
    if (state.removed) return { state, outgoing: [] };
    const turn = new ScampTurn(state, context, this.#config);
    step(turn);
    return { state: turn.state, outgoing: turn.outgoing };
  }
}

function mark(turn: ScampTurn, name: string, downSince: number | null): void {
  const { view, inView } = turn.state;
  turn.set({ view: markedArc(view, name, downSince), inView: markedArc(inView, name, downSince) });
}

/**
 * Whether this node has left its cluster, and joined none since then. Whatever others say to it, but for a newcomer that wants to join it, is
 * meant for the member that it was: they have not heard that it left.
 */
function isOutside(state: ScampState): boolean {
  if (state.removed) return true;
  return state.departures.has(state.self.name) && neighboursOf(state).length + state.heardOf.length === 0;
}

/** Whether a message, or what follows from it, goes on to other nodes. */
function isPassedOn({ type }: ScampMessage): boolean {
  return type === "subscribe" || type === "walk" || type === "subscription";
}

function receive(turn: ScampTurn, from: NodeSpec, value: unknown): void {
  const message = checkScampMessage(turn.config.name, value);
  if (isOutside(turn.state) && message.type !== "subscribe" && message.type !== "left") {
    return sendOwnDeparture(turn, from);
  }
  if (turn.state.removed) return;
  if (message.type === "left") {
    if (isCredible(message, turn.context) && mayPass(turn, from)) departure.onLeft(turn, message, from);
    if (message.name === from.name && !message.isRemoval) departure.restore(turn, from);
    return;
  }
  // A leaver's last word may come after the news that it left.
  if (message.type === "replace") return departure.onReplace(turn, from, message.node, message.isSpare);
  sendItsDeparture(turn, from);
  if (!departure.meetItself(turn, from) || (isPassedOn(message) && !mayPass(turn, from))) return;
  switch (message.type) {
    case "subscribe":
      return subscription.onSubscribe(turn, from, message);
    case "others":
      return subscription.onOthers(turn, message.nodes.filter((node) => departure.meet(turn, node)));
    case "walk":
      if (departure.meet(turn, message.node)) subscription.onWalk(turn, from, message);
      return;
    case "welcome":
      return subscription.onWelcome(turn, from);
    case "subscription":
      if (departure.meet(turn, message.node)) subscription.onSubscription(turn, from, message.node, message.ttl);
      return;
    case "kept":
      return subscription.onKept(turn, from);
  }
}
