// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";

/** Context that a strategy may use in addition to its own state. */
export interface StrategyContext {
  /** Milliseconds on the local monotonic clock. */
  readonly now: number;
  /** A number in [0, 1). Its only source of chance, so that a run can be replayed. */
  readonly random: () => number;
  /** Names of the peers that can be reached over an open membership connection now. */
  readonly connected: ReadonlySet<string>;
  /**
   * Incarnation of a connected peer at the other end, as it said itself. The word of others about a node with which there is a
   * connection is worth less than that.
   *
   * @default {unknown}
   */
  readonly incarnationOf?: (name: string) => number | undefined;
  /**
   * The greatest incarnation that is believed of any node: incarnations are times, and none is far in the future.
   *
   * @default {none}
   */
  readonly incarnationMax?: number;
  /**
   * Whether more nodes are just connecting, which may want to join: what is to be told of one that has joined can be told of all of them together.
   *
   * @default {false}
   */
  readonly isExpecting?: boolean;
}

/** A message from this strategy to the same strategy on another node. */
export interface Outgoing {
  /**
   * The receiver. One that is not connected is dialed for it; the message is dropped when that fails, and
   * the connection closed again when the strategy does not want it in its `peers`.
   */
  readonly to: NodeSpec;
  /** Any value that MessagePack can carry. */
  readonly message: unknown;
}

/** Answer of a strategy to an event. */
export interface Transition<State> {
  /** The next state; the same object when nothing changed. */
  readonly state: State;
  /** Messages to send, in order. */
  readonly outgoing: readonly Outgoing[];
  /**
   * Words about others, or from those that may not say them, that were not believed.
   *
   * @default {0}
   */
  readonly ignored?: number;
}

/** Cause of the end of an incarnation of a node. */
export interface IncarnationEnd {
  /** The newest incarnation that is known of the name, or was. */
  readonly incarnation: number;
  /** Whether the node left or was removed, as opposed to followed by a later incarnation. */
  readonly isRemoval: boolean;
}

/**
 * Decides who is in the cluster and which of them this node keeps connections with: Partisan's membership
 * strategy behaviour, with the overlay made explicit. Every function is pure: it never changes the state that
 * it is given, touches no clock, timer, socket or randomness but what `context` offers, and keeps nothing
 * elsewhere. Malformed messages from other nodes are thrown upon with a `TypeError`, which costs the sender its connection.
 *
 * @typeParam State Whatever the strategy remembers.
 */
export interface Strategy<State = unknown> {
  /** Its name. Nodes whose strategies differ refuse each other. */
  readonly name: string;
  /**
   * Whether `peers` are all other `members`, and these come to be the same on every node. Then nodes share work out by
   * what they all know, such as which node watches which; otherwise each does it for all of its neighbours.
   *
   * @default {false}
   */
  readonly isFullMesh?: boolean;
  /**
   * Whether `members` are all of the cluster. Then a connected node that is not among them is a stranger, who may join and nothing else.
   *
   * @default {false}
   */
  readonly knowsAll?: boolean;
  /**
   * Begins as a cluster of one, or, given what `snapshot` once returned, as a node that remembers the others. Where this node had left by
   * then, it begins alone all the same, and what it remembers serves only to refuse those that have not heard of it.
   * Also called when the node gets a new incarnation of itself.
   *
   * @throws {TypeError} When `snapshot` is not one of its own.
   */
  init(self: NodeSpec, context: StrategyContext, snapshot?: unknown): Transition<State>;
  /** This node, or the user of this node, asked to join the cluster of `peer`, which is connected now. */
  join(state: State, peer: NodeSpec, context: StrategyContext): Transition<State>;
  /**
   * Removes `node` from the cluster for good; `node` may be this node itself. The messages must reach all
   * that have to forget it, and `node` itself, so that it learns that it was removed.
   */
  leave(state: State, node: NodeSpec, context: StrategyContext): Transition<State>;
  /**
   * Removes `node`, which was down for long, so that it may come back: an incarnation that it takes later is none that was removed. Left out by
   * strategies under which no node can tell which ones are down.
   */
  evict?(state: State, node: NodeSpec, context: StrategyContext): Transition<State>;
  /** `peer` came up: its membership connection opened, for the first time or again, or an injected partition ended which that had outlived. */
  up(state: State, peer: NodeSpec, context: StrategyContext): Transition<State>;
  /** `peer` went down: its last connection closed, or its heartbeats were missed. It may come back. */
  down(state: State, peer: NodeSpec, context: StrategyContext): Transition<State>;
  /** No more nodes are connecting: tells what it kept back for that moment. Left out by strategies that keep nothing back. */
  catchUp?(state: State, context: StrategyContext): Transition<State>;
  /** Called once every gossip interval. */
  periodic(state: State, context: StrategyContext): Transition<State>;
  /** Takes a message that another node's strategy put into `outgoing`. */
  handleMessage(
    state: State,
    from: NodeSpec,
    message: unknown,
    context: StrategyContext,
  ): Transition<State>;
  /**
   * Compares a wanted membership with the present one: who would have to join, who to leave. Left out by strategies whose `members`
   * answer that, as `compareMembers` does.
   */
  compare?(
    state: State,
    wanted: readonly NodeSpec[],
  ): { readonly joiners: readonly NodeSpec[]; readonly leavers: readonly NodeSpec[] };
  /** Forgets `nodes` locally, without telling other nodes: for nodes known to be gone for good. A node does not ask for it. */
  prune?(state: State, nodes: readonly NodeSpec[], context: StrategyContext): Transition<State>;
  /**
   * Keeps a slot among the peers for a node whose `metadata.tag` is `tag`. Left out by strategies that have a slot for everyone.
   *
   * @returns The next state, or `null` when there is no slot left.
   */
  reserve?(state: State, tag: string): State | null;
  /** Everyone that the strategy knows to be in the cluster, this node included unless it was removed. */
  members(state: State): readonly NodeSpec[];
  /**
   * Whether that incarnation of a node has left the cluster for good, as far as this node knows. Left out by strategies that know all of the cluster:
   * then a node that is no member any more has left. Otherwise it may just have been forgotten.
   */
  hasLeft?(state: State, node: NodeSpec): boolean;
  /**
   * Cause of the end of that incarnation of a node, as far as this node knows; `undefined` when it has not ended. Asked about
   * this node itself, to tell a removal from a rumour. Left out by strategies for which any end is a removal.
   */
  endOf?(state: State, node: NodeSpec): IncarnationEnd | undefined;
  /** The nodes with which this node should keep connections; never this node. */
  peers(state: State): readonly NodeSpec[];
  /**
   * The state as a value that MessagePack can carry, for the disk and for `getLocalState()`.
   *
   * @param isKept Whether a member is worth remembering: one that was never met is not. By default, all are.
   */
  snapshot(state: State, isKept?: (node: NodeSpec) => boolean): unknown;
}
