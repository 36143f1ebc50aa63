// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { StoppedError } from "../messaging/errors.ts";
import type { Connection } from "../connections/connection.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import type { ConnectionPoolHandler } from "../connections/connection_pool_options.ts";
import { FrameKind, isMessage } from "../wire/frame_kind.ts";
import { SealError } from "../connections/noise/cipher_state.ts";
import { ProtocolError } from "../wire/frame_reader.ts";
import { MEMBERSHIP_CHANNEL, type Peer } from "../connections/peer.ts";
import type { Credentials } from "../connections/handshake/session.ts";
import type { ByteStream, Listener } from "../transport/transport.ts";
import { DialWarnings } from "./dial_warnings.ts";
import { Discovering } from "./discovering.ts";
import { Distance } from "./distance.ts";
import { Evicting } from "./evicting.ts";
import { Entry } from "./entry.ts";
import type { Emit } from "./events.ts";
import { FrameRouter } from "./frame_router.ts";
import { Joining, type JoinObserver, type JoinTarget } from "./joining.ts";
import { Liveness } from "./liveness.ts";
import { MemberStatuses } from "./member_status.ts";
import { NodeAttributes } from "./node_attributes.ts";
import { NodeMessaging } from "./node_messaging.ts";
import { NodeContext } from "./node_context.ts";
import { LoopbackWarnings } from "./loopback_warnings.ts";
import { Overlay } from "./overlay.ts";
import type { MembershipChange, Part } from "./part.ts";
import { Parts } from "./parts.ts";
import { PartitionEvents } from "./partition_events.ts";
import { ACROSS, PartitionControl } from "./partition_control.ts";
import type { Persistence } from "./persistence.ts";
import { Pinger } from "./pinger.ts";
import { Refutation } from "./refutation.ts";
import { closed, flushed, handledByAll, reached, toldRead } from "./quiescence.ts";
import { tellRemoval } from "./removal.ts";
import { Rounds } from "./rounds.ts";
import { PostureWarnings } from "./posture_warnings.ts";
import { Seeking } from "./seeking.ts";
import type { Settings } from "./settings.ts";
import { StatusEvents } from "./status_events.ts";
import { FOR_MEMBERS, ONCE_MEMBER, Strangers } from "./strangers.ts";
import { Streaming } from "./streaming.ts";

/** A running node: makes its parts, and tells them in order what happens. Owns no algorithm of its own. */
export class Node implements ConnectionPoolHandler {
  readonly context: NodeContext;
  readonly router: FrameRouter = new FrameRouter();
  readonly status: StatusEvents;
  readonly statuses: MemberStatuses;
  readonly pinger: Pinger;
  readonly overlay: Overlay;
  readonly liveness: Liveness;
  readonly joining: Joining;
  readonly entry: Entry = new Entry();
  readonly partitions: PartitionControl;
  readonly refutation: Refutation;
  readonly messaging: NodeMessaging;
  readonly streaming: Streaming;
  readonly attributes: NodeAttributes;
  readonly discovering: Discovering;
  readonly warnings: DialWarnings;
  readonly #persistence: Persistence | null;
  readonly #parts: Parts;
  readonly #former: readonly NodeSpec[] | undefined;
  /** While the node is being made, it wants the members of its former incarnation, and no other node. */
  readonly hasMet = (name: string): boolean => this.#former?.some((spec) => spec.name === name) ?? true;
  readonly #gossip: Rounds;
  #listeners: readonly Listener[] = [];
  #stopped: Promise<void> | null = null;
  #leaving: Promise<void> | null = null;

  constructor(
    settings: Settings,
    self: NodeSpec,
    credentials: Credentials,
    persistence: Persistence | null,
    emit: Emit,
  ) {
    const context = new NodeContext(settings, self, credentials, emit, this);
    const { pool, runtime, answerTimeout } = context;
    this.context = context;
    this.#persistence = persistence;
    const statuses = this.statuses = new MemberStatuses(context);
    this.liveness = new Liveness(context, statuses, () => this.refutation.ignore(1));
    const pinger = this.pinger = new Pinger(runtime);
    this.refutation = new Refutation(context, {
      reincarnate: (known) => {
        // What it was a member by before has ended for others.
        const { since: _, ...self } = this.context.self;
        this.context.renew(self);
        this.reincarnate(known);
      },
      superseded: (other) => this.#removed(other),
    });
    const changedMembers = (change: MembershipChange) => this.#membersChanged(change);
    const overlay = this.overlay = new Overlay(context, changedMembers, this.refutation, persistence?.members);
    const former = this.#former = persistence === null ? [] : overlay.membersOf(persistence.members);
    const messaging = this.messaging = new NodeMessaging(context, overlay);
    this.streaming = new Streaming(context, messaging);
    this.partitions = new PartitionControl({
      pool,
      runtime,
      timeout: answerTimeout,
      isAllowed: settings.allow.faultInjection,
      changed: () => this.#parts.partitionsChanged(),
    });
    this.status = new StatusEvents(context);
    const patience = Math.min(settings.handshakeTimeout, settings.joinTimeout) / 2;
    const joining = { pool, overlay, pinger, runtime, backoff: settings.backoff, answerTimeout, patience };
    this.joining = new Joining({ ...joining, self: () => context.self });
    this.attributes = new NodeAttributes(context);
    this.warnings = new DialWarnings(emit, pool.shortage);
    this.discovering = new Discovering(context, this.joining, this.warnings);
    const distance = new Distance({ pool, pinger, random: runtime.random, timeout: answerTimeout });
    this.#parts = new Parts([
      // First, because it is waited for when the node stops, while all others still do their work.
      ...(persistence === null ? [] : [persistence]),
      // Liveness, pings and membership come before messages: these ask them who is there.
      this.liveness,
      pingerPart(pinger, context),
      overlay,
      new Strangers(runtime.clock, pool, settings.strategy.knowsAll === true),
      new Seeking(context, former),
      ...messaging.parts(),
      this.streaming,
      this.partitions,
      statuses,
      new PartitionEvents(context, statuses),
      // Last, what tells users: they find everything else up to date. Who is told that a node is down finds its attributes hidden.
      this.attributes,
      this.status,
      this.joining,
      this.warnings,
      new LoopbackWarnings(context),
      new PostureWarnings(context),
      this.discovering,
      new Evicting(context, overlay),
      distance,
    ]);
    this.#parts.route(this.router, context.codec);
    this.#gossip = new Rounds(runtime, settings.gossip.interval, context.health, () => this.#parts.periodic());
  }

  /** The options of the node, checked and complete. */
  get settings(): Settings {
    return this.context.settings;
  }

  /** The connections. */
  get pool(): ConnectionPool {
    return this.context.pool;
  }

  /** Specification of this node. */
  get self(): NodeSpec {
    return this.context.self;
  }

  /** Begins to live: takes what the listeners accept, gossips and sends heartbeats. */
  start(listeners: readonly Listener[]): void {
    this.#listeners = listeners;
    this.#persistence?.attach(this, this.context.emit, this.#former);
    this.#parts.start();
    this.#gossip.start();
  }

  /** Takes a stream that a listener accepted. */
  accept(stream: ByteStream): void {
    this.pool.accept(stream);
  }

  /** Joins the cluster of another node, once this one has left its own if it is about to. */
  join(target: JoinTarget, signal: AbortSignal, observer?: JoinObserver): Promise<Peer | null> {
    return this.entry.during(async () => {
      await this.#leaving;
      this.discovering.resume();
      return await this.joining.join(target, signal, observer);
    });
  }

  /** Leaves the cluster: the others forget this node, then its connections close, and it begins a new incarnation alone. */
  leave(): Promise<void> {
    return this.#leaving ??= Promise.resolve().then(() => this.#leave()).finally(() => this.#leaving = null);
  }

  /** Removes another node from the cluster. One that is not known here, as a partial view does not know all, is taken as it is `given`. */
  async remove(name: string, given?: NodeSpec): Promise<void> {
    const spec = this.overlay.members.get(name) ?? given;
    if (spec !== undefined) return await this.removeAll([spec]);
    if (this.settings.strategy.knowsAll === true) return;
    const what = `Cannot remove "${name}": this node knows a part of the cluster, and "${name}" is not in it`;
    throw new TypeError(`${what}; give its specification in place of its name`);
  }

  /** Removes several other nodes at once. */
  async removeAll(specs: readonly NodeSpec[]): Promise<void> {
    for (const spec of specs) this.overlay.leave(spec);
    if (specs.length > 0) await this.#handledByAll();
  }

  /** Begins a new incarnation under the same name, above `known`. */
  reincarnate(known: number): void {
    const { self, pool, runtime: { clock } } = this.context;
    const incarnation = Math.max(Math.floor(clock.wallTime()), known + 1, self.incarnation + 1);
    this.context.renew({ ...self, incarnation });
    this.#parts.restart(this.self);
    pool.reset();
    this.overlay.connect();
    this.liveness.share();
  }

  /** Stops for good; what still waits rejects with `reason`. */
  stop(reason: StoppedError): Promise<void> {
    return this.#stopped ??= this.#stop(reason);
  }

  // What the pool tells.

  frame: ConnectionPoolHandler["frame"] = (connection, kind, buffer, start, end) => {
    const { peer } = connection;
    if (peer.partitioned && !ACROSS.has(kind)) return this.streaming.keptBack(connection, kind, buffer, start, end);
    if (!peer.isParty && FOR_MEMBERS.has(kind)) return this.refutation.ignore(1);
    if (!peer.isParty && ONCE_MEMBER.has(kind)) return this.#frameOfStranger(connection, kind, buffer, start, end);
    peer.framesIn++;
    if (peer.silent) this.liveness.heard(peer);
    return this.router.route(connection, kind, buffer, start, end);
  };

  message: ConnectionPoolHandler["message"] = (connection, kind, buffer, start, end) => {
    const { peer } = connection;
    if (peer.partitioned) return;
    if (!peer.isParty) return this.#frameOfStranger(connection, kind, buffer, start, end);
    peer.framesIn++;
    if (peer.silent) this.liveness.heard(peer);
    return this.messaging.take(connection, kind, buffer, start, end);
  };

  linked(peer: Peer): void {
    this.#parts.peerLinked(peer);
  }

  unlinked(peer: Peer): void {
    this.#parts.peerUnlinked(peer);
  }

  up(peer: Peer): void {
    this.#parts.peerUp(peer);
  }

  down(peer: Peer): void {
    this.#parts.peerDown(peer);
  }

  channelUp(peer: Peer, channel: string): void {
    this.#parts.channelUp(peer, channel);
  }

  channelDown(peer: Peer, channel: string, withPeer: boolean): void {
    this.#parts.channelDown(peer, channel, withPeer);
  }

  connectionClosed(connection: Connection<Peer>, error: unknown): void {
    const { peer, channel } = connection;
    this.context.traffic.closed(channel, connection.bytesIn, connection.bytesOut);
    if (!this.context.stopped) this.messaging.outbound.closed(connection);
    // A stream that was cut off is none: a process that dies leaves nothing else behind.
    const isForged = error instanceof SealError && error.code === "forged";
    this.statuses.closed(peer, error);
    this.#parts.connectionClosed(connection);
    const isFault = isForged ||
      [ProtocolError, SyntaxError, TypeError, RangeError].some((kind) => error instanceof kind);
    if (isFault) this.context.emit("error", { error, node: peer.name, during: `reading from channel "${channel}"` });
  }

  dialFailed(peer: Peer, error: unknown): void {
    this.#parts.dialFailed(peer, error);
  }

  outlived(known: number): void {
    this.refutation.refute(known);
  }

  probe(peer: Peer): Promise<boolean> {
    return this.pinger.ping(peer, this.settings.heartbeat.interval);
  }

  /** Nothing more is read of a stranger's messages until it is a member. The pool closes those that never are. */
  async #frameOfStranger(connection: Connection<Peer>, ...frame: [number, Uint8Array, number, number]): Promise<void> {
    const { peer, channel } = connection;
    // It is by this channel that it would join.
    if (channel === MEMBERSHIP_CHANNEL) return this.refutation.ignore(1);
    connection.reader.retain();
    while (!peer.isParty && !connection.closed) await peer.introduction();
    if (connection.closed) this.refutation.ignore(1);
    else await (isMessage(frame[0]) ? this.message(connection, ...frame) : this.frame(connection, ...frame));
  }

  async #leave(): Promise<void> {
    const { name } = this.self;
    this.discovering.suspend();
    this.entry.left();
    await this.joining.abandon(new DOMException(`Cannot join: "${name}" is leaving`, "AbortError"));
    this.overlay.leave(this.self);
    await this.#handledByAll();
    await reached(this.pool, this.context.runtime.clock);
    // One that was stopped meanwhile begins no other incarnation: its store may be that of another node by now.
    if (this.context.stopped) return;
    // The next incarnation does not go on with the membership that ends here.
    const { since: _, ...self } = this.self;
    this.context.renew(self);
    this.reincarnate(self.incarnation);
    await this.#persistence?.settled();
  }

  #membersChanged(change: MembershipChange): void {
    this.#parts.membersChanged(change);
    // A node that leaves sees no other node join or leave: it is the one that goes.
    if (this.#leaving !== null) return;
    const { emit } = this.context;
    for (const { name } of change.joined) emit("join", { node: name });
    for (const { name } of change.left) emit("leave", { node: name });
    if (change.removed) this.#removed(this.context.members.get(this.self.name));
  }

  #removed(newer: NodeSpec | undefined): void {
    this.stop(tellRemoval(this.context, newer));
  }

  /** After it, every node that can be reached has handled what was sent to it before. */
  #handledByAll(): Promise<void> {
    return handledByAll(this.pool, this.pinger, this.context.answerTimeout);
  }

  async #stop(reason: StoppedError): Promise<void> {
    this.#parts.stopping();
    this.#gossip.stop();
    for (const listener of this.#listeners) listener.close();
    this.context.end(reason);
    await flushed(this.pool, this.context.runtime.clock);
    await this.#parts.stop(reason);
    await toldRead(this.pool, this.context.runtime.clock);
    await closed(this.pool, this.context.runtime);
  }
}

/** The pinger knows no node: its frames, and its peers, are handed to it. */
function pingerPart(pinger: Pinger, context: NodeContext): Part {
  return {
    peerUnlinked: (peer) => {
      if (!peer.connected) pinger.peerGone(peer);
    },
    stop: () => pinger.stop(),
    frames: [
      // A node that is stopping is not there any more, although it still writes: its next incarnation may have its name.
      [FrameKind.ping, (...frame) => void (context.stopped || pinger.takePing(...frame))],
      [FrameKind.pong, (...frame) => pinger.takePong(...frame)],
    ],
  };
}
