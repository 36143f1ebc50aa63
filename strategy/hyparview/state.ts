// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import type { Departures } from "../departures.ts";
import type { StrategyContext } from "../strategy.ts";
import type { Passed } from "../quota.ts";
import { Turn } from "../turn.ts";
import { union, type View } from "../view.ts";
import type { HyParViewMessage } from "./messages.ts";

/** The options of X-BOT, all of them given. */
export interface XBotConfig {
  readonly cost: (from: NodeSpec, to: NodeSpec) => number;
  readonly unbiased: number;
  readonly scanned: number;
  readonly interval: number;
}

/** The options of {@linkcode hyparview}, all of them given. */
export interface HyParViewConfig {
  readonly activeSize: number;
  readonly passiveSize: number;
  readonly activeWalk: number;
  readonly passiveWalk: number;
  readonly shuffleActive: number;
  readonly shufflePassive: number;
  readonly shuffleInterval: number;
  readonly forgetAfter: number;
  readonly xbot: XBotConfig | null;
}

/** A node that was asked to become a neighbour and has not answered yet. */
export interface PendingLink {
  readonly node: NodeSpec;
  /** The round in which it must have answered. */
  readonly due: number;
  /** Whether it was asked to let us into its cluster, and has to be asked again when it does not answer. */
  readonly joining: boolean;
  /** Whether another node named it, and this one did not choose it. */
  readonly isNamed: boolean;
  /** Whether it turned out that it cannot be reached. It stays here until its round is over, so as not to be asked again. */
  readonly hasFailed: boolean;
}

/** A node that was asked for its part in an exchange of links, and has not answered yet. */
export interface PendingExchange {
  /** Its name. */
  readonly asked: string;
  /** The other node that the question is about. */
  readonly about: NodeSpec;
  /** The round in which it must have answered. */
  readonly due: number;
}

/** A neighbour that went down. It is tried again now and then, so that two halves of a cluster find together again. */
export interface LostPeer {
  readonly node: NodeSpec;
  /** The round in which it went down. */
  readonly since: number;
  /** The round in which it is tried next. */
  readonly retryAt: number;
  /** Rounds from that try to the one after it. */
  readonly wait: number;
}

/** State of one node. No name is in two of `active`, `passive` and `lost`. */
export interface HyParViewState {
  readonly self: NodeSpec;
  /** Whether this node was removed from the cluster: from then on it does nothing any more. */
  readonly removed: boolean;
  /** Number of calls of `periodic`. */
  readonly round: number;
  /** The neighbours. The relation is symmetric. */
  readonly active: View;
  /** Others, to be asked when a neighbour is missing. */
  readonly passive: View;
  readonly pending: readonly PendingLink[];
  readonly lost: readonly LostPeer[];
  /** Exchanges of links that are under way. */
  readonly exchanges: readonly PendingExchange[];
  /** Free slots are left alone before this round, because others had no room; unless a neighbour is lost. */
  readonly fillAt: number;
  /** Rounds to wait when the next one has no room. */
  readonly fillWait: number;
  /** The round in which a neighbour is swapped for another node. */
  readonly swapAt: number;
  /** Rounds from that swap to the next one, on average. */
  readonly swapWait: number;
  /** The round in which views are shuffled next. */
  readonly shuffleAt: number;
  /** Rounds from that shuffle to the next one, while nothing changes. */
  readonly shuffleWait: number;
  readonly departures: Departures;
  /** Tags for each of which a slot among the neighbours is kept. */
  readonly reservations: readonly string[];
  /** Nodes told in the last shuffle: the first to make room for what comes back. */
  readonly shuffled: View;
  /** Whether no answer to it has come. */
  readonly isShuffling: boolean;
  readonly passed: Passed;
}

/** One event on its way through HyParView. */
export class HyParViewTurn extends Turn<HyParViewState, HyParViewMessage> {
  readonly config: HyParViewConfig;

  /** Begins with the state before the event. */
  constructor(state: HyParViewState, context: StrategyContext, config: HyParViewConfig) {
    super(state, context);
    this.config = config;
  }

  /** The cluster changes, as far as this node can tell: views are shuffled within the shortest interval. */
  stir(): void {
    const { round, shuffleAt } = this.state;
    const { shuffleInterval } = this.config;
    this.set({ shuffleAt: Math.min(shuffleAt, round + shuffleInterval), shuffleWait: 2 * shuffleInterval });
  }
}

/** Everyone that the node knows, itself included unless it was removed. */
export function knownMembers({ self, removed, active, passive, pending, lost }: HyParViewState): View {
  return removed ? [] : union([self], active, nodesOf(pending), passive, nodesOf(lost));
}

/** The nodes with which the node keeps connections: its neighbours. One that is only asked to become a neighbour may have no room. */
export function wantedPeers({ active }: HyParViewState): View {
  return active;
}

/** The nodes that some entries are about. */
export function nodesOf(entries: readonly { readonly node: NodeSpec }[]): View {
  return entries.map(({ node }) => node);
}

/** The entries that are not about that name. */
export function entriesWithout<Entry extends { readonly node: NodeSpec }>(
  entries: readonly Entry[],
  name: string,
): readonly Entry[] {
  return entries.some(({ node }) => node.name === name) ? entries.filter(({ node }) => node.name !== name) : entries;
}
