// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { checkOptions, checkRequired, FUNCTION, NUMBER, OBJECT, type OptionKinds } from "../runtime/options.ts";
import { checkOption } from "./check_option.ts";
import {
  departureOf,
  hasDeparted,
  isCredible,
  sendItsDeparture,
  sendLatestDepartures,
  sendOwnDeparture,
  withoutDeparture,
} from "./departures.ts";
import { meet, meetItself, onLeft, removeNode } from "./hyparview/departure.ts";
import * as links from "./hyparview/links.ts";
import { checkHyParViewMessage, type HyParViewMessage } from "./hyparview/messages.ts";
import { reserved } from "./hyparview/reservations.ts";
import { passRound } from "./hyparview/round.ts";
import { onShuffle, onShuffleReply } from "./hyparview/shuffle.ts";
import {
  type HyParViewConfig,
  type HyParViewState,
  HyParViewTurn,
  knownMembers,
  wantedPeers,
  type XBotConfig,
} from "./hyparview/state.ts";
import { addLost, forget } from "./hyparview/views.ts";
import * as xbot from "./hyparview/xbot.ts";
import { mayPass, NONE_PASSED } from "./quota.ts";
import type { IncarnationEnd, Strategy, StrategyContext, Transition } from "./strategy.ts";
import { find, has } from "./view.ts";
import { viewSnapshotFromValue, viewSnapshotToValue } from "./view_snapshot.ts";

/** Options of {@linkcode hyparview}. The defaults are those of the paper's evaluation (section 5.1) for 10,000 nodes. */
export interface HyParViewOptions {
  /**
   * Neighbours of a node, 1 to 64. The paper's rule is ln(N) plus a constant.
   *
   * @default {5}
   */
  readonly activeSize?: number | undefined;
  /**
   * Nodes in reserve, 1 to 1,024. Decides how large a part of the cluster may fail at once.
   *
   * @default {30}
   */
  readonly passiveSize?: number | undefined;
  /**
   * Steps of a newcomer's walk and of a shuffle's (ARWL), 1 to 64.
   *
   * @default {6}
   */
  readonly activeWalk?: number | undefined;
  /**
   * Number of steps before the end of its walk at which a newcomer is put in reserve (PRWL), 0 to 64.
   *
   * @default {3}
   */
  readonly passiveWalk?: number | undefined;
  /**
   * Neighbours told in a shuffle (ka), 0 to 32.
   *
   * @default {3}
   */
  readonly shuffleActive?: number | undefined;
  /**
   * Nodes in reserve told in a shuffle (kp), 0 to 32.
   *
   * @default {4}
   */
  readonly shufflePassive?: number | undefined;
  /**
   * Gossip intervals within which a node shuffles once it has noticed a change of the cluster, 1 to 10,000. The waits from there to the next
   * shuffles are twice as long, four times, and so on, up to 16 times this, until it notices another one.
   *
   * @default {10}
   */
  readonly shuffleInterval?: number | undefined;
  /**
   * Gossip intervals for which a neighbour that went down is still tried. Two halves of a cluster that were cut from each
   * other for longer come together only by a new join.
   *
   * @default {3600}
   */
  readonly forgetAfter?: number | undefined;
  /**
   * Exchange of neighbours for cheaper ones (X-BOT). To be given on all nodes, with the same costs. Without it, neighbours are random.
   *
   * @default {undefined}
   */
  readonly xbot?: XBotOptions | undefined;
}

/** Options of X-BOT, by which {@linkcode hyparview} prefers cheap links. */
export interface XBotOptions {
  /**
   * Cost of a link between two nodes: the oracle of the paper. It must give both directions the same cost, and always the same for the same
   * specifications; for example 1 within a zone of their metadata, and 10 across.
   */
  readonly cost: (from: NodeSpec, to: NodeSpec) => number;
  /**
   * Number of links of a node that are never exchanged, its most expensive ones, 0 to 64: those that connect what is far from each other.
   *
   * @default {1}
   */
  readonly unbiased?: number | undefined;
  /**
   * Nodes in reserve that are looked at in an attempt (the passive scan length), 1 to 64.
   *
   * @default {2}
   */
  readonly scanned?: number | undefined;
  /**
   * Gossip intervals from one attempt to the next, 1 to 10,000.
   *
   * @default {2}
   */
  readonly interval?: number | undefined;
}

/**
 * The HyParView overlay: each node keeps connections with a few neighbours only, whatever the size of the cluster, and
 * knows some more nodes in reserve to replace those that fail.
 *
 * From J. Leitão, J. Pereira and L. Rodrigues, "HyParView: a membership protocol for reliable gossip-based broadcast",
 * DSN 2007. Beyond the paper: a node can leave for good; a restarted one retires its former incarnation; links that only one end
 * believes in are noticed; a reserve that has room takes what passes by on a walk; a lost neighbour is tried again for a while, so that a
 * cluster that was cut in two heals; and each node swaps a neighbour for another node now and then, ever more rarely, so that a cluster whose nodes all
 * joined at once through one of them becomes as well mixed as one that grew slowly.
 *
 * @param options Sizes and intervals.
 * @returns The strategy.
 * @throws {TypeError} When an option has another kind of value, or a name that is not known.
 * @throws {RangeError} When an option is out of range.
 *
 * @example A cluster of 50 nodes in which no node has more than 5 neighbours
 * ```ts
 * import { hyparview } from "@partisan/peer-service/strategy";
 * import { StrategySimulator } from "@partisan/peer-service/testing";
 * import { assert } from "@std/assert";
 *
 * const cluster = new StrategySimulator(hyparview(), { seed: 1 });
 * for (let index = 0; index < 50; index++) cluster.start(`n${index}`, { join: index > 0 ? "n0" : undefined });
 * cluster.run(60_000);
 *
 * assert(cluster.isConnected());
 * assert(cluster.alive.every((name) => cluster.peers(name).length <= 5));
 * ```
 *
 * @example Nodes of two zones that prefer neighbours in their own
 * ```ts
 * import type { NodeSpec } from "@partisan/peer-service/membership";
 * import { hyparview } from "@partisan/peer-service/strategy";
 * import { StrategySimulator } from "@partisan/peer-service/testing";
 * import { assert, assertLess } from "@std/assert";
 *
 * const cost = (one: NodeSpec, other: NodeSpec) => one.metadata.zone === other.metadata.zone ? 1 : 10;
 * const metadata = (name: string) => ({ zone: Number(name) % 2 });
 * const cluster = new StrategySimulator(hyparview({ xbot: { cost } }), { seed: 1, metadata });
 * for (let index = 0; index < 50; index++) cluster.start(`${index}`, { join: index > 0 ? "0" : undefined });
 * cluster.run(300_000);
 *
 * const links = cluster.alive.flatMap((name) => cluster.neighbours(name).map((other) => [name, other] as const));
 * const across = links.filter(([one, other]) => metadata(one).zone !== metadata(other).zone);
 * assertLess(across.length, 0.3 * links.length);
 * assert(cluster.isConnected());
 * ```
 */
export function hyparview(options: HyParViewOptions = {}): Strategy {
  return new HyParView(configOf(checkOptions(ACTION, options, KINDS)));
}

const ACTION = 'Cannot use the strategy "hyparview"';

const KINDS: OptionKinds<HyParViewOptions> = {
  activeSize: NUMBER,
  passiveSize: NUMBER,
  activeWalk: NUMBER,
  passiveWalk: NUMBER,
  shuffleActive: NUMBER,
  shufflePassive: NUMBER,
  shuffleInterval: NUMBER,
  forgetAfter: NUMBER,
  xbot: OBJECT,
};

const XBOT_KINDS: OptionKinds<XBotOptions> = { cost: FUNCTION, unbiased: NUMBER, scanned: NUMBER, interval: NUMBER };

/** Rounds until a node swaps a neighbour for the first time. */
const FIRST_SWAP = 4;

class HyParView implements Strategy<HyParViewState> {
  readonly name = "hyparview";
  readonly #config: HyParViewConfig;

  constructor(config: HyParViewConfig) {
    this.#config = config;
  }

  init(self: NodeSpec, context: StrategyContext, snapshot?: unknown): Transition<HyParViewState> {
    const { view, departures } = viewSnapshotFromValue(this.name, snapshot, self);
    const passive = view.slice(0, this.#config.passiveSize);
    // Nodes that start together do not all shuffle in the same round.
    const round = Math.floor(context.random() * this.#config.shuffleInterval);
    const none = {
      active: [],
      pending: [],
      lost: [],
      exchanges: [],
      shuffled: [],
      isShuffling: false,
      passed: NONE_PASSED,
      fillAt: 0,
      fillWait: 1,
      reservations: [],
    };
    const swaps = { swapAt: round + FIRST_SWAP, swapWait: FIRST_SWAP };
    const { shuffleInterval } = this.#config;
    const shuffles = { shuffleAt: round === 0 ? 0 : shuffleInterval, shuffleWait: 2 * shuffleInterval };
    const state = { self, removed: false, round, passive, departures, ...none, ...swaps, ...shuffles };
    return this.#turn(state, context, links.fillActive);
  }

  join(state: HyParViewState, peer: NodeSpec, context: StrategyContext): Transition<HyParViewState> {
    return this.#turn(state, context, (turn) => {
      if (!meet(turn, peer)) return;
      turn.set({ departures: withoutDeparture(turn.state.departures, state.self.name) });
      if (!has(turn.state.active, peer.name)) links.requestLink(turn, peer, "high", { joining: true });
    });
  }

  leave(state: HyParViewState, node: NodeSpec, context: StrategyContext): Transition<HyParViewState> {
    return this.#turn(state, context, (turn) => removeNode(turn, node));
  }

  up(state: HyParViewState, peer: NodeSpec, context: StrategyContext): Transition<HyParViewState> {
    return this.#turn(state, context, (turn) => {
      sendItsDeparture(turn, peer);
      if (!meetItself(turn, peer)) return;
      const { lost, pending } = turn.state;
      if (!lost.some(({ node }) => node.name === peer.name)) return;
      sendLatestDepartures(turn, peer);
      if (!pending.some(({ node }) => node.name === peer.name)) links.requestLink(turn, peer, "high");
    });
  }

  down(state: HyParViewState, peer: NodeSpec, context: StrategyContext): Transition<HyParViewState> {
    return this.#turn(state, context, (turn) => {
      const { active, pending } = turn.state;
      const neighbour = find(active, peer.name);
      const asked = pending.find(({ node }) => node.name === peer.name)?.node;
      if (neighbour !== undefined) addLost(turn, neighbour);
      if (asked !== undefined) links.onUnreachable(turn, asked);
      if (neighbour ?? asked) links.fillActive(turn, peer.name);
    });
  }

  periodic(state: HyParViewState, context: StrategyContext): Transition<HyParViewState> {
    return this.#turn(state, context, passRound);
  }

  handleMessage(
    state: HyParViewState,
    from: NodeSpec,
    value: unknown,
    context: StrategyContext,
  ): Transition<HyParViewState> {
    const turn = new HyParViewTurn(state, context, this.#config);
    receive(turn, from, value);
    return { state: turn.state, outgoing: turn.outgoing };
  }

  prune(state: HyParViewState, nodes: readonly NodeSpec[], context: StrategyContext): Transition<HyParViewState> {
    return this.#turn(state, context, (turn) => {
      for (const { name } of nodes) if (name !== state.self.name) forget(turn, name);
    });
  }

  reserve(state: HyParViewState, tag: string): HyParViewState | null {
    return reserved(state, tag, this.#config.activeSize);
  }

  members(state: HyParViewState): readonly NodeSpec[] {
    return knownMembers(state);
  }

  hasLeft({ departures }: HyParViewState, node: NodeSpec): boolean {
    return hasDeparted(departures, node);
  }

  endOf({ departures }: HyParViewState, node: NodeSpec): IncarnationEnd | undefined {
    return departureOf(departures, node);
  }

  peers(state: HyParViewState): readonly NodeSpec[] {
    return wantedPeers(state);
  }

  snapshot(state: HyParViewState): unknown {
    const view = knownMembers(state).filter(({ name }) => name !== state.self.name);
    return viewSnapshotToValue(this.name, { view, inView: [], departures: state.departures });
  }

  /** Takes one event through `step`. A node that was removed does nothing any more. */
  #turn(
    state: HyParViewState,
    context: StrategyContext,
    step: (turn: HyParViewTurn) => void,
  ): Transition<HyParViewState> {
    if (state.removed) return { state, outgoing: [] };
    const turn = new HyParViewTurn(state, context, this.#config);
    step(turn);
    return { state: turn.state, outgoing: turn.outgoing };
  }
}

/**
 * Whether this node has left its cluster, and joined none since then. Whatever others say to it, but for a newcomer that wants to join it, is
 * meant for the member that it was: they have not heard that it left.
 */
function isOutside(state: HyParViewState): boolean {
  return state.removed || (state.departures.has(state.self.name) && knownMembers(state).length === 1);
}

/** Whether a message, or what follows from it, goes on to other nodes. */
function isPassedOn({ type }: HyParViewMessage): boolean {
  return type === "join" || type === "forwardJoin" || type === "shuffle" || type === "shuffleReply";
}

function receive(turn: HyParViewTurn, from: NodeSpec, value: unknown): void {
  const message = checkHyParViewMessage(value);
  if (isOutside(turn.state) && message.type !== "join" && message.type !== "left") return sendOwnDeparture(turn, from);
  if (turn.state.removed) return;
  if (message.type === "left") {
    if (isCredible(message, turn.context) && mayPass(turn, from)) onLeft(turn, message, from);
    return;
  }
  sendItsDeparture(turn, from);
  if (!meetItself(turn, from) || (isPassedOn(message) && !mayPass(turn, from))) return;
  switch (message.type) {
    case "join":
      return links.onJoin(turn, from);
    case "neighbour":
      return links.onNeighbour(turn, from, message.priority);
    case "accept":
      return links.onAccept(turn, from);
    case "reject":
      return links.onReject(turn, from);
    case "disconnect":
      return links.onDisconnect(turn, from);
    case "shuffleReply":
      return onShuffleReply(turn, message);
    case "optimization":
      return xbot.onOptimization(turn, from, message);
    case "optimizationReply":
      return xbot.onOptimizationReply(turn, from, message);
    case "replace":
      return meet(turn, message.old) ? xbot.onReplace(turn, from, message) : undefined;
    case "replaceReply":
      return meet(turn, message.initiator) ? xbot.onReplaceReply(turn, from, message) : undefined;
    case "switch":
      return xbot.onSwitch(turn, from, message);
    case "switchReply":
      return meet(turn, message.candidate) ? xbot.onSwitchReply(turn, from, message) : undefined;
    case "disconnectWait":
      return xbot.onDisconnectWait(turn, from);
    case "forwardJoin":
    case "shuffle":
      if (!has(turn.state.active, from.name)) turn.send(from, { type: "disconnect" });
      if (message.type === "shuffle") return onShuffle(turn, from, message);
      if (meet(turn, message.node)) return links.onForwardJoin(turn, from, message.node, message.ttl);
  }
}

function configOf(options: HyParViewOptions): HyParViewConfig {
  return {
    activeSize: checkOption(options.activeSize ?? 5, "activeSize", 1, 64),
    passiveSize: checkOption(options.passiveSize ?? 30, "passiveSize", 1, 1_024),
    activeWalk: checkOption(options.activeWalk ?? 6, "activeWalk", 1, 64),
    passiveWalk: checkOption(options.passiveWalk ?? 3, "passiveWalk", 0, 64),
    shuffleActive: checkOption(options.shuffleActive ?? 3, "shuffleActive", 0, 32),
    shufflePassive: checkOption(options.shufflePassive ?? 4, "shufflePassive", 0, 32),
    shuffleInterval: checkOption(options.shuffleInterval ?? 10, "shuffleInterval", 1, 10_000),
    forgetAfter: checkOption(options.forgetAfter ?? 3_600, "forgetAfter", 1, 1_000_000),
    xbot: options.xbot === undefined ? null : checkXBot(options.xbot),
  };
}

function checkXBot(options: XBotOptions): XBotConfig {
  const { cost, unbiased, scanned, interval } = checkRequired(`${ACTION}: "xbot"`, options, XBOT_KINDS, "cost");
  return {
    cost,
    unbiased: checkOption(unbiased ?? 1, "xbot.unbiased", 0, 64),
    scanned: checkOption(scanned ?? 2, "xbot.scanned", 1, 64),
    interval: checkOption(interval ?? 2, "xbot.interval", 1, 10_000),
  };
}
