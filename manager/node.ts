// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { StoppedError } from "../messaging/errors.ts";
import type { Connection } from "../connections/connection.ts";
import { ConnectionPool } from "../connections/connection_pool.ts";
import type { ConnectionPoolHandler } from "../connections/connection_pool_options.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { ProtocolError } from "../wire/frame_reader.ts";
import type { Peer } from "../connections/peer.ts";
import type { SharedSecrets } from "../connections/handshake/shared_secrets.ts";
import type { ByteStream, Listener } from "../transport/transport.ts";
import { Distance } from "./distance.ts";
import type { Emit } from "./events.ts";
import { routeFrames } from "./frame_routes.ts";
import { FrameRouter } from "./frame_router.ts";
import { Joining, type JoinTarget } from "./joining.ts";
import { Liveness } from "./liveness.ts";
import { NodeMessaging } from "./node_messaging.ts";
import { type MembershipChange, Overlay } from "./overlay.ts";
import { PartitionControl } from "./partition_control.ts";
import type { Persistence } from "./persistence.ts";
import { Pinger } from "./pinger.ts";
import { poolOptions } from "./pool_options.ts";
import { closed, flushed, handledByAll } from "./quiescence.ts";
import { Rounds } from "./rounds.ts";
import type { Settings } from "./settings.ts";
import { Subscriptions } from "./subscriptions.ts";

/** Enough for everybody to watch all neighbours. */
const WATCHERS_MAX = Number.MAX_SAFE_INTEGER;

/** The parts of a running node, wired together. Owns no algorithm of its own. */
export class Node implements ConnectionPoolHandler {
  readonly settings: Settings;
  /** Tells the users of the node about an event. */
  readonly emit: Emit;
  readonly router: FrameRouter = new FrameRouter();
  readonly upListeners: Subscriptions;
  readonly downListeners: Subscriptions;
  readonly pool: ConnectionPool;
  readonly pinger: Pinger;
  readonly overlay: Overlay;
  readonly liveness: Liveness;
  readonly joining: Joining;
  readonly partitions: PartitionControl;
  readonly messaging: NodeMessaging;
  readonly #persistence: Persistence | null;
  readonly #distance: Distance;
  readonly #gossip: Rounds;
  readonly #stopping = new AbortController();
  #self: NodeSpec;
  #listeners: readonly Listener[] = [];
  #stopped: Promise<void> | null = null;
  #leaving: Promise<void> | null = null;

  constructor(settings: Settings, self: NodeSpec, secrets: SharedSecrets, persistence: Persistence | null, emit: Emit) {
    const { runtime, strategy, heartbeat, backoff } = settings;
    this.settings = settings;
    this.#self = self;
    this.emit = emit;
    this.#persistence = persistence;
    const listenerFailed = (error: unknown) => emit("error", { error, during: "calling a listener" });
    this.upListeners = new Subscriptions(listenerFailed);
    this.downListeners = new Subscriptions(listenerFailed);
    this.pinger = new Pinger(runtime);
    this.pool = new ConnectionPool(poolOptions(settings, secrets, () => this.#self, this));
    const { pool, pinger } = this;
    const changed = (change: MembershipChange) => this.#membersChanged(change);
    this.overlay = new Overlay({ strategy, pool, runtime, changed }, self, persistence?.members);
    const suspected = (node: string) => emit("suspect", { node });
    const watchers = strategy.isFullMesh ? undefined : WATCHERS_MAX;
    this.liveness = new Liveness({ ...heartbeat, watchers, pool, runtime, suspected }, self);
    const answerTimeout = heartbeat.interval * heartbeat.missed;
    this.joining = new Joining({ pool, overlay: this.overlay, pinger, runtime, backoff, answerTimeout });
    this.#distance = new Distance({ pool, pinger, random: runtime.random, timeout: answerTimeout });
    const separated = () => this.messaging.broadcasting.neighboursChanged();
    this.partitions = new PartitionControl({ pool, runtime, timeout: answerTimeout, changed: separated });
    this.messaging = new NodeMessaging(settings, pool, () => this.#self, () => this.overlay.members, emit);
    this.#gossip = new Rounds(runtime, settings.gossip.interval, () => this.#round());
    routeFrames(this);
  }

  /** What this node tells others about itself. */
  get self(): NodeSpec {
    return this.#self;
  }

  /** Begins to live: takes what the listeners accept, gossips and beats. */
  start(listeners: readonly Listener[]): void {
    this.#listeners = listeners;
    this.liveness.start();
    this.#shareWatch();
    this.#persistence?.attach(this, this.emit);
    this.#gossip.start();
  }

  /** Takes a stream that a listener accepted. */
  accept(stream: ByteStream): void {
    this.pool.accept(stream);
  }

  /** Whether it was stopped, or is about to be. */
  get stopped(): boolean {
    return this.#stopped !== null;
  }

  /**
   * Makes sure that there is still something to do things with.
   *
   * @throws {StoppedError} When the node was stopped.
   */
  checkRunning(what: string): void {
    if (this.#stopped !== null) throw new StoppedError(`Cannot ${what}: "${this.#self.name}" was stopped`);
  }

  /** A signal that is aborted when the node stops, or `signal` is. */
  untilStopped(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#stopping.signal : AbortSignal.any([signal, this.#stopping.signal]);
  }

  /** Whether messages can flow to a node, over one of its channels if that is named. */
  isConnected(name: string, channel?: string): boolean {
    if (name === this.#self.name) return true;
    const peer = this.pool.peers.get(name);
    return peer !== undefined && peer.up && (channel === undefined || peer.openOn(channel) > 0);
  }

  /** Whether every connection with a node is open, and none is in doubt. */
  isFullyConnected(name: string): boolean {
    if (name === this.#self.name) return true;
    const peer = this.pool.peers.get(name);
    return peer !== undefined && peer.fullyConnected && !peer.doubtful;
  }

  /** Joins the cluster of another node, once this one has left its own if it is about to. */
  async join(target: JoinTarget, signal: AbortSignal): Promise<Peer | null> {
    await this.#leaving;
    return await this.joining.join(target, signal);
  }

  /** Leaves the cluster: the others forget this node, then its connections close, and it begins a new life alone. */
  leave(): Promise<void> {
    return this.#leaving ??= Promise.resolve().then(() => this.#leave()).finally(() => this.#leaving = null);
  }

  /** Removes another node from the cluster. One that is not known here, as a partial view does not know all, is taken as it is `given`. */
  async remove(name: string, given?: NodeSpec): Promise<void> {
    const spec = this.overlay.members.get(name) ?? given;
    if (spec === undefined) return;
    this.overlay.leave(spec);
    await this.#handledByAll();
  }

  /** Begins a new life under the same name, with an incarnation above `known`. */
  reincarnate(known: number, snapshot: unknown): void {
    const { wallTime } = this.settings.runtime.clock;
    this.#self = {
      ...this.#self,
      incarnation: Math.max(Math.floor(wallTime()), known + 1, this.#self.incarnation + 1),
    };
    this.liveness.restart(this.#self);
    this.overlay.restart(this.#self, snapshot);
    this.messaging.restart(this.#self);
    this.pool.reset();
    this.overlay.connect();
    this.#shareWatch();
    this.#persistence?.changed();
  }

  /** Stops for good; what still waits rejects with `reason`. */
  stop(reason: StoppedError): Promise<void> {
    return this.#stopped ??= this.#stop(reason);
  }

  // What the pool tells.

  frame(connection: Connection, kind: number, buffer: Uint8Array, start: number, end: number): void {
    const { peer } = connection;
    // Handler names belong to the connection itself, which outlives the partition.
    if (peer.partitioned && kind !== FrameKind.partition && kind !== FrameKind.handlerName) return;
    peer.framesIn++;
    if (peer.silent) this.liveness.heard(peer);
    this.router.route(connection, kind, buffer, start, end);
  }

  linked(peer: Peer): void {
    this.liveness.linked(peer);
    this.#shareWatch();
    this.overlay.linked(peer);
  }

  unlinked(peer: Peer): void {
    this.liveness.unlinked(peer);
    if (!peer.connected) this.pinger.peerGone(peer);
    this.#shareWatch();
    this.overlay.unlinked(peer);
    this.messaging.unlinked(peer);
  }

  up(peer: Peer): void {
    const { name } = peer;
    this.messaging.up(peer);
    if (this.#stopped !== null) return;
    this.emit("up", { node: name });
    this.upListeners.tell(name);
    this.joining.changed();
  }

  down(peer: Peer): void {
    const { name } = peer;
    this.messaging.down(peer);
    if (this.#stopped !== null) return;
    this.emit("down", { node: name });
    this.downListeners.tell(name);
  }

  channelUp({ name }: Peer, channel: string): void {
    if (this.#stopped !== null) return;
    this.emit("up", { node: name, channel });
    this.upListeners.tell(name, channel);
    this.joining.changed();
  }

  channelDown({ name }: Peer, channel: string): void {
    if (this.#stopped !== null) return;
    this.emit("down", { node: name, channel });
    this.downListeners.tell(name, channel);
  }

  connectionClosed({ peer, channel }: Connection, error: unknown): void {
    const isFault = [ProtocolError, SyntaxError, TypeError, RangeError].some((kind) => error instanceof kind);
    if (isFault) this.emit("error", { error, node: peer.name, during: `reading from channel "${channel}"` });
  }

  outlived(known: number): void {
    if (known >= this.#self.incarnation) this.reincarnate(known, this.overlay.snapshot());
  }

  probe(peer: Peer): Promise<boolean> {
    return this.pinger.ping(peer, this.settings.heartbeat.interval);
  }

  async #leave(): Promise<void> {
    await this.joining.abandon(new DOMException(`Cannot join: "${this.#self.name}" is leaving`, "AbortError"));
    this.overlay.leave(this.#self);
    await this.#handledByAll();
    // The next life does not go on with the membership that ends here.
    const { since: _, ...self } = this.#self;
    this.#self = self;
    this.reincarnate(this.#self.incarnation, this.overlay.snapshot());
    await this.#persistence?.settled();
  }

  #membersChanged({ joined, left, removed }: MembershipChange): void {
    this.#shareWatch();
    this.#persistence?.changed();
    for (const node of left) {
      this.liveness.forget(node.name);
      this.messaging.left(node);
    }
    if (this.#leaving === null) {
      for (const { name } of joined) this.emit("join", { node: name });
      for (const { name } of left) this.emit("leave", { node: name });
      if (removed) this.#removed();
    }
    this.joining.changed();
  }

  #removed(): void {
    const { name } = this.#self;
    this.emit("removed", { node: name });
    this.stop(new StoppedError(`Cannot go on: "${name}" was removed from the cluster`));
  }

  /** In a full mesh all come to know the same nodes, and share the watch; otherwise each node watches all its neighbours. */
  #shareWatch(): void {
    const { isFullMesh = false } = this.settings.strategy;
    const watched = [...this.pool.peers.values()].filter(({ wanted, connected }) => isFullMesh ? wanted : connected);
    this.liveness.share(watched.map(({ name }) => name));
  }

  /** After it, every node that can be reached has handled what was sent to it before. */
  #handledByAll(): Promise<void> {
    const { interval, missed } = this.settings.heartbeat;
    return handledByAll(this.pool, this.pinger, interval * missed);
  }

  #round(): void {
    this.overlay.periodic();
    this.messaging.periodic();
    this.#distance.measureOne();
    this.#persistence?.periodic();
  }

  async #stop(reason: StoppedError): Promise<void> {
    this.liveness.stop();
    this.#gossip.stop();
    for (const listener of this.#listeners) listener.close();
    this.#stopping.abort(reason);
    await flushed(this.pool, this.settings.runtime.clock);
    await this.#persistence?.stop();
    this.messaging.stop(reason);
    this.pinger.stop();
    await closed(this.pool, this.settings.runtime);
  }
}
