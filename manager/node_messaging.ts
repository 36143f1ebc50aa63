// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeIncarnation, NodeSpec } from "../wire/node_spec.ts";
import { type AcceptedMessage, ReliableReceiver } from "../messaging/reliable_receiver.ts";
import { Calls } from "../messaging/calls.ts";
import { Cancellations } from "../messaging/cancellations.ts";
import { type RelayedArrival, Relaying } from "../messaging/relaying.ts";
import { Broadcasting } from "./broadcasting.ts";
import { GoneSenders } from "./gone_senders.ts";
import { CausalOrders } from "../messaging/causal_orders.ts";
import { Tombstones } from "../messaging/tombstones.ts";
import { DelayQueue } from "../messaging/delay_queue.ts";
import { StoppedError } from "../messaging/errors.ts";
import { ReliableSender } from "../messaging/reliable_sender.ts";
import { Inbound } from "../messaging/inbound.ts";
import { Loopback } from "../messaging/loopback.ts";
import { Interpositions } from "../messaging/interposition.ts";
import { type MessageStats, noMessages, type Undeliverable } from "../messaging/message_stats.ts";
import { readTraceHead, TRACE_HEAD_BYTES } from "../messaging/message_frame.ts";
import { Tracing } from "../messaging/tracing.ts";
import { Flushing } from "../messaging/flushing.ts";
import { Monitors } from "../messaging/monitors.ts";
import { Outbound } from "../messaging/outbound.ts";
import { Registry } from "../messaging/registry.ts";
import type { Random } from "../runtime/runtime.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import type { Connection } from "../connections/connection.ts";
import { DEFAULT_CHANNEL, type Peer } from "../connections/peer.ts";
import type { NodeContext } from "./node_context.ts";
import type { Overlay } from "./overlay.ts";
import type { Part } from "./part.ts";
import type { Settings } from "./settings.ts";

/** The handlers of groups have names that begin so. What is for all members of a group may be broadcast. */
export const GROUPS_PREFIX = "groups/";

/** The parts of a node that carry messages, wired together. */
export class NodeMessaging {
  readonly registry: Registry;
  readonly stats: MessageStats = noMessages();
  readonly tracing: Tracing = new Tracing();
  readonly interpositions: Interpositions;
  readonly outbound: Outbound;
  readonly inbound: Inbound;
  readonly loopback: Loopback;
  readonly reliableSender: ReliableSender;
  readonly reliableReceiver: ReliableReceiver;
  readonly calls: Calls;
  readonly relaying: Relaying;
  readonly broadcasting: Broadcasting;
  readonly monitors: Monitors;
  readonly cancellations: Cancellations;
  readonly #orders: CausalOrders<AcceptedMessage>;
  readonly #context: NodeContext;
  readonly #delayed: DelayQueue;
  readonly #tombstones = new Tombstones();

  readonly #ends: Pick<Overlay, "isOver" | "isFollowed">;

  /** @param ends The incarnations of nodes that have ended, as far as is known here. */
  constructor(context: NodeContext, ends: Pick<Overlay, "isOver" | "isFollowed">) {
    this.#context = context;
    this.#ends = ends;
    const { settings, pool, codec, emit, runtime } = context;
    const { channels, causalLabels, maxInflight } = settings;
    const selfName = () => context.self.name;
    const registry = this.registry = new Registry(
      (message, { from }) => emit("message", { from, message }),
      (name) => this.monitors.unregistered(name),
      maxInflight,
    );
    this.#delayed = new DelayQueue(runtime.clock);
    this.interpositions = new Interpositions((error, { node, type }) =>
      emit("error", { error, node, during: `running interposition functions for ${type}` })
    );
    const common = {
      node: context,
      self: selfName,
      codec,
      interpositions: this.interpositions,
      delayed: this.#delayed,
      stats: this.stats,
      tracing: this.tracing,
      undeliverable: (what: Undeliverable) => emit("undeliverable", what),
    };
    this.inbound = new Inbound({
      ...common,
      registry,
      handlerFailed: (name, from, error) =>
        emit("error", { error, node: from, during: `handling a message to "${name}"` }),
    });
    this.loopback = new Loopback({
      ...{ codec, inbound: this.inbound, stats: this.stats, self: () => context.self },
      defer: (callback) => runtime.defer(callback),
      accept: (...message) => this.reliableReceiver.accept(...message),
    });
    this.outbound = new Outbound({
      ...common,
      pool,
      monotonic: monotonicChannels(channels),
      relay: (message) => this.relaying.send(message),
      here: this.loopback,
    });
    this.#orders = new CausalOrders(causalLabels, context.self, { forgetsDown: settings.strategy.knowsAll !== true });
    const { inbound } = this;
    this.relaying = this.#newRelaying(context);
    this.broadcasting = this.#newBroadcasting(context);
    this.reliableSender = this.#newReliableSender(context);
    this.calls = this.#newCalls(context);
    this.cancellations = new Cancellations({
      pool,
      clock: runtime.clock,
      given: (from, id) => this.calls.takeCancel(from, id),
      relay: (node, value) => this.relaying.sendCancel(node, value),
    });
    const { calls } = this;
    const flushing = new Flushing(registry, pool, calls);
    this.monitors = new Monitors(registry, (node, channel) => flushing.flush(node, channel));
    this.reliableReceiver = new ReliableReceiver({
      runtime,
      pool,
      codec,
      inbound,
      calls,
      orders: this.#orders,
      stats: this.stats,
      acknowledgeHere: (acknowledgement) => this.reliableSender.takeAcknowledgement(context.self, acknowledgement),
      relayAcknowledgement: (...acknowledgement) => this.relaying.sendAcknowledgement(...acknowledgement),
    });
  }

  /** Number of messages that wait for others that come before them in a causal order. */
  get causalBacklog(): number {
    return this.#orders.size;
  }

  /** The parts that carry messages, in the order in which they are told what happens. */
  parts(): Part[] {
    const { inbound, reliableSender, reliableReceiver, calls, relaying, broadcasting } = this;
    const { pool, runtime: { clock } } = this.#context;
    return [
      // First: the others ask whether a node is there in its present incarnation.
      { memberLeft: (node) => this.#tombstones.add(node) },
      // What was received waits for its order, and goes to the handlers before anything else is sent again.
      {
        peerUp: (peer) => reliableReceiver.handOver(this.#orders.up(peer, clock.now())),
        peerDown: (peer) => this.#orders.down(peer, clock.now()),
        memberLeft: (node) => reliableReceiver.left(node),
        periodic: () => reliableReceiver.handOver(this.#orders.tick(clock.now())),
        restart: () => reliableReceiver.reset(),
      },
      { peerDown: ({ name }) => this.outbound.down(name) },
      new GoneSenders(pool, calls, inbound, (node) => this.#tombstones.has(node) || this.#ends.isOver(node)),
      {
        peerDown: ({ name }) => calls.down(name),
        memberLeft: ({ name }) => calls.left(name),
        stop: (reason) => this.abortHandlers(reason),
      },
      this.cancellations,
      {
        peerUp: ({ name }) => reliableSender.up(name),
        peerUnlinked: (peer) => this.#unlinked(peer),
        // Where its next incarnation is here already, what waits is for that one.
        memberLeft: (node) => {
          if (!this.#isPresent(node.name)) reliableSender.left(node, this.#ends.isFollowed(node));
        },
        restart: (self) => this.#restart(self),
        stop: (reason) => reliableSender.stop(reason),
        controls: [[FrameKind.ack, (peer, value) => reliableSender.takeAcknowledgement(peer, value)]],
      },
      {
        restart: ({ name }) => this.#drop(new StoppedError(`Cannot deliver: "${name}" has left the cluster`)),
        stop: (reason) => {
          this.#delayed.stop();
          this.#drop(reason);
        },
        frames: [[FrameKind.handlerName, (...frame) => inbound.takeHandlerName(...frame)]],
      },
      // After the reliable receiver and sender have forgotten the node: what waited for its messages need not wait any longer.
      { memberLeft: (node) => reliableReceiver.handOver(this.#orders.gone(node, clock.now())) },
      {
        restart: (self) => relaying.restart(self),
        periodic: () => relaying.tick(),
        controls: [[FrameKind.relay, (peer, message) => relaying.receive(peer, message)]],
      },
      {
        peerUp: () => broadcasting.neighboursChanged(),
        peerDown: () => broadcasting.neighboursChanged({ isLost: true }),
        partitionsChanged: () => broadcasting.neighboursChanged(),
        restart: (self) => broadcasting.restart(self),
        stop: () => broadcasting.stop(),
        controls: [[FrameKind.broadcast, (peer, message) => broadcasting.receive(peer, message)]],
      },
    ];
  }

  /** Takes a frame that carries a message, with guarantees or without. */
  take(connection: Connection, kind: number, buffer: Uint8Array, start: number, end: number): void | Promise<void> {
    if (kind === FrameKind.message) return this.inbound.takeMessage(connection, buffer, start, end);
    if (kind === FrameKind.envelope) return this.reliableReceiver.takeEnvelope(connection, buffer, start, end);
    return this.#takeTraced(connection, buffer, start, end);
  }

  /** Tells the handlers of all messages that there is no use in going on. */
  abortHandlers(reason: Error): void {
    this.calls.abort(reason);
    this.inbound.abort(reason);
  }

  /** Lets go of what waits for handlers. */
  #drop(reason: Error): void {
    this.inbound.reset();
    this.loopback.end(reason);
  }

  #unlinked({ name }: Peer): void {
    // It had left, and its next incarnation, if that was it, has not joined.
    if (this.#tombstones.knows(name) && !this.#context.members.has(name)) this.reliableSender.lost(name);
  }

  #restart(self: NodeSpec): void {
    const reason = new StoppedError(`Cannot deliver: "${self.name}" has left the cluster`);
    this.reliableSender.reset(reason);
    this.calls.reset(reason);
    this.#orders.restart(self);
  }

  #newReliableSender(context: NodeContext): ReliableSender {
    const { runtime, codec } = context;
    return new ReliableSender({
      runtime,
      outbound: this.outbound,
      codec,
      orders: this.#orders,
      chance: () => randomCount(runtime.random),
      stats: this.stats,
      self: () => context.self.name,
      incarnation: () => context.self.incarnation,
      memberIncarnation: (node) => this.#memberIncarnation(node),
      isPresent: (node) => this.#isPresent(node),
    });
  }

  #newCalls({ runtime, settings: { maxPendingCalls } }: NodeContext): Calls {
    return new Calls({
      stats: this.stats,
      now: () => runtime.clock.now(),
      reliableSender: this.reliableSender,
      inbound: this.inbound,
      firstId: randomCount(runtime.random),
      pendingMax: maxPendingCalls,
      cancel: (node, id) => this.cancellations.send(node, id),
    });
  }

  #newRelaying(context: NodeContext): Relaying {
    const { settings, pool, codec, self, runtime } = context;
    return new Relaying({
      ...{ pool, codec, clock: runtime.clock, ttl: settings.relayTtl, patience: context.answerTimeout },
      chance: () => randomCount(runtime.random),
      lastRoot: () => this.broadcasting.lastRoot,
      treeLinks: (root) => this.broadcasting.links(root),
      isKnown: (name) => settings.strategy.knowsAll !== true || context.members.has(name) || pool.peers.has(name),
      missed: ({ node, name }) => this.outbound.missed(node, name),
      arrived: (from, what, teller) => this.#relayed(from, what, teller),
    }, self);
  }

  #newBroadcasting({ runtime, pool, codec, self, settings, emit }: NodeContext): Broadcasting {
    const { gossip, strategy, treeRefreshInterval: refreshInterval, maxFrameBytes } = settings;
    return new Broadcasting({
      runtime,
      pool,
      codec,
      lazyInterval: gossip.interval,
      isFullMesh: strategy.isFullMesh ?? false,
      ...{ refreshInterval, maxFrameBytes },
      undeliverable: (what) => emit("undeliverable", what),
      incarnationOf: (node) => this.#knownIncarnation(node),
      deliver: (name, message, bytes, from, age, repaired, trace) => {
        // A node that has made no groups takes no part in them, and has missed nothing.
        if (name.startsWith(GROUPS_PREFIX) && !this.inbound.handles(name)) return;
        const context = this.inbound.broadcastContext(from, DEFAULT_CHANNEL, age, repaired, trace);
        this.inbound.receive(name, message, context, bytes);
      },
    }, self);
  }

  /** The incarnation of a member: one that has just begun connects before it is heard of by gossip. */
  #memberIncarnation(name: string): number | undefined {
    const known = this.#context.members.get(name)?.incarnation;
    return known && Math.max(known, this.#context.pool.peers.get(name)?.incarnation ?? 0);
  }

  /** The incarnation of a node of which this one knows at first hand, or from the cluster. */
  #knownIncarnation(name: string): number | undefined {
    const { members, pool } = this.#context;
    const known = Math.max(members.get(name)?.incarnation ?? -1, pool.peers.get(name)?.incarnation ?? -1);
    return known < 0 ? undefined : known;
  }

  /** Whether there are connections with a node that has not left the cluster in its present incarnation. */
  #isPresent(name: string): boolean {
    const peer = this.#context.pool.peers.get(name);
    return peer !== undefined && !this.#tombstones.has(peer);
  }

  /** Takes what other nodes have passed on. */
  #relayed(from: NodeIncarnation, what: RelayedArrival, teller: string): boolean {
    if (!this.#isCredible(from)) return false;
    if (what.kind === "acknowledgement") this.reliableSender.takeAcknowledgement(from, what.value);
    else if (what.kind === "cancel") this.cancellations.take(from.name, what.value, true);
    else {
      const { name, cast, channel, envelope, message, bytes, trace } = what;
      const context = this.inbound.context(from.name, channel, cast, from.incarnation, trace);
      if (envelope === undefined) this.inbound.receive(name, message, context, bytes);
      else this.reliableReceiver.accept(from, envelope, bytes, message, name, context, teller);
    }
    return true;
  }

  /**
   * Whether others may pass on what that incarnation says. Another one than is known was made up, or is not known here yet: but a
   * partial view may hold on to the former incarnation of a node that it never speaks to.
   */
  #isCredible({ name, incarnation }: NodeIncarnation): boolean {
    const known = this.#knownIncarnation(name) ?? incarnation;
    const { pool, settings: { strategy } } = this.#context;
    return incarnation === known ||
      (incarnation > known && strategy.knowsAll !== true && pool.peers.get(name)?.linked !== true);
  }

  /** Takes a message that belongs to a trace, with guarantees or without. */
  #takeTraced(connection: Connection, buffer: Uint8Array, start: number, end: number): void | Promise<void> {
    const [trace, kind] = readTraceHead(buffer, start, end);
    const behind = start + TRACE_HEAD_BYTES;
    if (kind === FrameKind.message) return this.inbound.takeMessage(connection, buffer, behind, end, trace);
    this.reliableReceiver.takeEnvelope(connection, buffer, behind, end, trace);
  }
}

/** A positive number to count from, which no other incarnation of this node is likely to have come to, and which cannot be guessed: 40 bits of chance. */
function randomCount(random: Random): number {
  return random.bytes(5).reduce((count, byte) => count * 256 + byte, 0) + 1;
}

function monotonicChannels(channels: Settings["channels"]): ReadonlySet<string> {
  return new Set(Object.keys(channels).filter((channel) => channels[channel]!.monotonic));
}
