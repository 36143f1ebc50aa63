// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { Acceptance, type AcceptedMessage } from "../messaging/acceptance.ts";
import { Calls } from "../messaging/calls.ts";
import type { Sender } from "../messaging/deduplication.ts";
import { type RelayedArrival, Relaying } from "../messaging/relaying.ts";
import { Broadcasting } from "./broadcasting.ts";
import { CausalOrders } from "../messaging/causal_orders.ts";
import { DepartedLives } from "../messaging/departed_lives.ts";
import { DelayQueue } from "../messaging/delay_queue.ts";
import { CallError, StoppedError } from "../messaging/errors.ts";
import { Guarantees } from "../messaging/guarantees.ts";
import { Inbound } from "../messaging/inbound.ts";
import { Interpositions } from "../messaging/interposition.ts";
import type { MessageStats, Undeliverable } from "../messaging/message_stats.ts";
import { Monitors } from "../messaging/monitors.ts";
import { Outbound, type OutboundMessage, type SendOptions } from "../messaging/outbound.ts";
import { PayloadCodec } from "../messaging/payload_codec.ts";
import { Registry } from "../messaging/registry.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import type { Clock, Random } from "../runtime/runtime.ts";
import { DEFAULT_CHANNEL, type Peer } from "../connections/peer.ts";
import type { Emit } from "./events.ts";
import type { Settings } from "./settings.ts";

/** The parts of a node that carry messages, wired together. */
export class NodeMessaging {
  readonly codec: PayloadCodec;
  readonly registry: Registry;
  readonly stats: MessageStats = { sent: 0, superseded: 0, delivered: 0, dropped: 0, unhandled: 0 };
  readonly interpositions: Interpositions;
  readonly outbound: Outbound;
  readonly inbound: Inbound;
  readonly guarantees: Guarantees;
  readonly acceptance: Acceptance;
  readonly calls: Calls;
  readonly relaying: Relaying;
  readonly broadcasting: Broadcasting;
  readonly monitors: Monitors;
  readonly #orders: CausalOrders<AcceptedMessage>;
  readonly #clock: Clock;
  readonly #delayed: DelayQueue;
  readonly #departed = new DepartedLives();
  readonly #pool: ConnectionPool;
  readonly #members: () => ReadonlyMap<string, NodeSpec>;
  readonly #self: () => string;
  readonly #life: () => Sender;
  readonly #defer: (callback: () => void) => void;

  constructor(
    settings: Settings,
    pool: ConnectionPool,
    self: () => NodeSpec,
    members: () => ReadonlyMap<string, NodeSpec>,
    emit: Emit,
  ) {
    this.#pool = pool;
    this.#members = members;
    const { codec, runtime, channels, causalLabels, relayTtl } = settings;
    const registry = new Registry(
      (message, { from }) => emit("message", { from, message }),
      (name) => this.monitors.unregistered(name),
    );
    this.registry = registry;
    this.codec = new PayloadCodec(codec);
    this.#self = () => pool.selfName();
    this.#life = self;
    this.#defer = (callback) => runtime.defer(callback);
    this.#delayed = new DelayQueue(runtime.clock);
    this.interpositions = new Interpositions((error, { node, type }) =>
      emit("error", { error, node, during: `running interposition functions for ${type}` })
    );
    const common = {
      self: this.#self,
      codec: this.codec,
      interpositions: this.interpositions,
      delayed: this.#delayed,
      stats: this.stats,
      undeliverable: (what: Undeliverable) => emit("undeliverable", what),
    };
    this.outbound = new Outbound({
      ...common,
      pool,
      monotonic: monotonicChannels(channels),
      relay: (message) => this.relaying.send(message),
      deliverHere: (message) => this.#deliverHere(message),
    });
    this.inbound = new Inbound({
      ...common,
      registry,
      handlerFailed: (name, from, error) =>
        emit("error", { error, node: from, during: `handling a message to "${name}"` }),
    });
    this.#clock = runtime.clock;
    this.#orders = new CausalOrders(causalLabels, self());
    const { outbound, inbound } = this;
    this.relaying = new Relaying({
      pool,
      codec: this.codec,
      ttl: relayTtl,
      lastRoot: () => this.broadcasting.lastRoot,
      treeLinks: (root) => this.broadcasting.links(root),
      arrived: (from, what) => this.#relayed(from, what),
    }, self());
    this.broadcasting = this.#newBroadcasting(settings, pool, self());
    this.guarantees = new Guarantees({
      runtime,
      outbound,
      codec: this.codec,
      orders: this.#orders,
      self: this.#self,
      incarnation: () => self().incarnation,
      memberLife: (node) => this.#memberLife(node),
      isPresent: (node) => this.#isPresent(node),
    });
    this.calls = new Calls({ guarantees: this.guarantees, inbound, firstId: randomCount(runtime.random) });
    this.monitors = new Monitors(registry);
    const { calls } = this;
    this.acceptance = new Acceptance({
      runtime,
      pool,
      codec: this.codec,
      inbound,
      calls,
      orders: this.#orders,
      receiptHere: (receipt) => this.guarantees.takeReceipt(self().name, receipt),
      relayReceipt: (to, receipt) => this.relaying.sendReceipt(to, receipt),
    });
  }

  /** A peer can be reached. */
  up(peer: Peer): void {
    this.acceptance.handOver(this.#orders.up(peer, this.#clock.now()));
    this.guarantees.up(peer.name);
    this.broadcasting.neighboursChanged();
  }

  /** A peer cannot be reached, for now at least. */
  down(peer: Peer): void {
    this.#orders.down(peer, this.#clock.now());
    this.calls.down(peer.name);
    this.monitors.gone(peer.name);
    this.broadcasting.neighboursChanged();
  }

  /** The last connection with a peer has closed, or it is held for dead. */
  unlinked({ name }: Peer): void {
    // It had left, and its next life, if that was it, has not joined.
    if (this.#departed.knows(name) && !this.#members().has(name)) this.guarantees.lost(name);
  }

  /** A node has left the cluster. */
  left(node: NodeSpec): void {
    this.#departed.add(node);
    this.calls.left(node.name);
    this.monitors.gone(node.name);
    // Where its next life is here already, what waits is for that one.
    if (!this.#isPresent(node.name)) this.guarantees.left(node);
    this.acceptance.left(node);
    this.acceptance.handOver(this.#orders.gone(node, this.#clock.now()));
  }

  /** Ends the patience with those that were away for too long. */
  periodic(): void {
    this.acceptance.handOver(this.#orders.tick(this.#clock.now()));
  }

  /** Begins again as another life of this node. */
  restart(self: NodeSpec): void {
    const reason = new StoppedError(`Cannot deliver: "${self.name}" has left the cluster`);
    this.guarantees.reset(reason);
    this.calls.reset(reason);
    this.acceptance.reset();
    this.#orders.restart(self);
    this.relaying.restart(self);
    this.broadcasting.restart(self);
  }

  /** Drops what still waits. */
  stop(reason: StoppedError): void {
    this.guarantees.stop(reason);
    this.#delayed.stop();
    this.broadcasting.stop();
  }

  /** Calls a handler of this node. */
  async callHere(name: string, message: unknown, { channel = DEFAULT_CHANNEL }: SendOptions): Promise<unknown> {
    try {
      return await this.inbound.answer(name, message, { from: this.#self(), channel, cast: false }) ?? null;
    } catch (error) {
      throw new CallError(error instanceof Error ? error.message : `${error}`);
    }
  }

  #newBroadcasting(
    { runtime, gossip, strategy, treeRefreshInterval }: Settings,
    pool: ConnectionPool,
    self: NodeSpec,
  ): Broadcasting {
    return new Broadcasting({
      runtime,
      pool,
      codec: this.codec,
      lazyInterval: gossip.interval,
      refreshInterval: treeRefreshInterval,
      isFullMesh: strategy.isFullMesh ?? false,
      deliver: (name, message, from) =>
        this.inbound.receive(name, message, { from, channel: DEFAULT_CHANNEL, cast: true }),
    }, self);
  }

  /** The life of a member: one that has just begun connects before it is heard of by gossip. */
  #memberLife(name: string): number | undefined {
    const known = this.#members().get(name)?.incarnation;
    return known && Math.max(known, this.#pool.peers.get(name)?.incarnation ?? 0);
  }

  /** Whether there are connections with a node that has not left the cluster in its present life. */
  #isPresent(name: string): boolean {
    const peer = this.#pool.peers.get(name);
    return peer !== undefined && !this.#departed.has(peer);
  }

  /** Takes what other nodes have passed on. */
  #relayed(from: Sender, what: RelayedArrival): void {
    if (what.kind === "receipt") return this.guarantees.takeReceipt(from.name, what.receipt);
    const { name, cast, channel, envelope, message, bytes } = what;
    const context = { from: from.name, channel, cast };
    if (envelope === undefined) this.inbound.receive(name, message, context);
    else this.acceptance.accept(from, envelope, bytes, message, name, context);
  }

  /** A message to this node itself arrives in a later turn, like any other. */
  #deliverHere({ name, message, options: { channel = DEFAULT_CHANNEL }, cast, envelope }: OutboundMessage): void {
    const context = { from: this.#self(), channel, cast };
    this.stats.sent++;
    this.#defer(() => {
      if (envelope === undefined) this.inbound.receive(name, message, context);
      else this.acceptance.accept(this.#life(), envelope, 0, message, name, context);
    });
  }
}

/** A number to count from, which no other life of this node is likely to have come to: 40 bits of chance. */
function randomCount(random: Random): number {
  return random.bytes(5).reduce((count, byte) => count * 256 + byte, 0);
}

function monotonicChannels(channels: Settings["channels"]): ReadonlySet<string> {
  return new Set(Object.keys(channels).filter((channel) => channels[channel]!.monotonic));
}
