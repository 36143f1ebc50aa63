// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Heartbeat } from "../gossip/heartbeat.ts";
import type { HeartbeatMessage } from "../gossip/heartbeat_message.ts";
import type { HeartbeatEnv, HeartbeatEvent } from "../gossip/heartbeat_types.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { Timer } from "../runtime/runtime.ts";
import { StepDriver } from "../runtime/step_driver.ts";
import { TimerDelay } from "../runtime/timer_delay.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import type { Peer } from "../connections/peer.ts";
import { sendControl } from "./control_sender.ts";
import type { NodeContext } from "./node_context.ts";
import type { ControlHandler, Part } from "./part.ts";

/** The detector judges so many times per heartbeat interval. */
const TICKS_PER_INTERVAL = 4;

/** Enough for every node to watch all its neighbours. */
const WATCHERS_MAX = Number.MAX_SAFE_INTEGER;

/** The listener for suspicions. */
export interface Suspicion {
  /** A node is suspected. */
  suspected(name: string): void;
  /** A node is suspected no longer. */
  trusted(name: string): void;
}

/** Runs the failure detector: tells it what was heard, sends what it says, and has the pool act on what it finds. */
export class Liveness implements Part {
  readonly controls: readonly [FrameKind, ControlHandler][] = [
    [FrameKind.heartbeat, (peer, message) => this.receive(peer, message)],
  ];
  /** Whether the detector knows which nodes share the watch. */
  #isShared = false;
  /** Delay of the detector's timer. */
  readonly delay: TimerDelay = new TimerDelay();
  /** Number of the detector's events about other nodes, by type. */
  readonly counts: Record<HeartbeatEvent["type"], number> = {
    suspect: 0,
    silentLink: 0,
    trusted: 0,
    down: 0,
    up: 0,
    accused: 0,
  };
  readonly #context: NodeContext;
  readonly #suspicion: Suspicion;
  readonly #ignored: () => void;
  readonly #driver: StepDriver<HeartbeatMessage, HeartbeatEvent>;
  #heartbeat: Heartbeat;
  #timer: Timer | null = null;
  #accusedAt = -Infinity;

  /**
   * @param suspicion Told which nodes the detector suspects, and which ones no longer.
   * @param ignored Told of each word that is not for the speaker to say.
   */
  constructor(context: NodeContext, suspicion: Suspicion, ignored: () => void) {
    this.#ignored = ignored;
    this.#context = context;
    this.#suspicion = suspicion;
    this.#heartbeat = this.#detectorFor(context.self);
    this.#driver = new StepDriver({
      clock: context.runtime.clock,
      send: (to, message) => this.#send(to, message),
      tell: (event) => this.#tell(event),
    });
  }

  /** Begins to send heartbeats and to judge. */
  start(): void {
    const { health, runtime: { clock, random }, settings: { heartbeat: { interval } } } = this.#context;
    const next = (delay: number) => {
      this.delay.due(clock.now() + delay);
      this.#timer = clock.schedule(delay, tick);
    };
    let ticks = 0;
    const tick = () => {
      const now = clock.now();
      health.came(this.delay.overdue(now));
      this.delay.came(now);
      next(interval / TICKS_PER_INTERVAL * health.stretch);
      this.#tick();
      ticks += health.stretch;
      if (ticks < TICKS_PER_INTERVAL) return;
      ticks = 0;
      this.#context.pool.look();
    };
    // A random phase keeps the nodes of a cluster that started at once from sending heartbeats in step.
    next(interval / TICKS_PER_INTERVAL * random.next());
    this.share();
  }

  /** Ends it: a node that stops neither sends heartbeats nor accuses. */
  stopping(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.delay.due(Infinity);
  }

  /** Begins again as another incarnation of this node. */
  restart(self: NodeSpec): void {
    this.#heartbeat = this.#detectorFor(self);
  }

  /** Other nodes than before share the watch, from the next tick on: while a cluster forms, many connections open between two ticks. */
  share(): void {
    this.#isShared = false;
  }

  /**
   * Tells the detector which nodes share the watch: in a full mesh all come to know the same nodes; otherwise each node watches all its
   * neighbours.
   */
  #divide(): void {
    if (this.#isShared) return;
    this.#isShared = true;
    const { pool, settings: { strategy: { isFullMesh = false } } } = this.#context;
    const watched = [...pool.peers.values()].filter(({ wanted, connected }) => isFullMesh ? wanted : connected);
    this.#heartbeat.setPeers(watched.map(({ name }) => name));
  }

  /** Others than before may share the watch. */
  membersChanged(): void {
    this.share();
  }

  /** The membership connection with a peer opened. */
  peerLinked(peer: Peer): void {
    this.#driver.do(this.#heartbeat.peerConnected(peer.name, this.#env()));
    this.share();
  }

  /** The last connection with a peer closed. */
  peerUnlinked(peer: Peer): void {
    if (!peer.connected) this.#driver.do(this.#heartbeat.peerGone(peer.name, this.#env()));
    this.share();
  }

  /** A frame came from a peer that was held for dead. */
  heard(peer: Peer): void {
    this.#driver.do(this.#heartbeat.heard(peer.name, this.#env()));
  }

  /** Milliseconds of silence beyond a heartbeat interval, of the watched, connected node that has been silent longest. */
  lateness(): number {
    const { pool, runtime: { clock }, settings: { heartbeat: { interval } } } = this.#context;
    const now = clock.now();
    const late = this.#heartbeat.watched.flatMap((name) => {
      const peer = pool.peers.get(name);
      // What came since the last look is only counted yet.
      return peer?.connected && !peer.hasNews ? [now - peer.heardAt - interval] : [];
    });
    return Math.max(0, ...late);
  }

  /** A node left the cluster. */
  memberLeft({ name }: NodeSpec): void {
    this.#heartbeat.forget(name);
  }

  /**
   * Takes a message of another node's detector.
   *
   * @throws {TypeError} When it is malformed.
   */
  receive(peer: Peer, message: unknown): void {
    if (peer.heartbeatDue < Infinity) this.#expectHeartbeat(peer);
    // A stranger sends heartbeats, and asks for them; what is said of third nodes is for members to say.
    if (!peer.isParty && Array.isArray(message)) return this.#ignored();
    this.#driver.do(this.#heartbeat.receive(peer, message, this.#env()));
  }

  #detectorFor({ name, incarnation }: NodeSpec): Heartbeat {
    const { runtime, settings: { strategy, heartbeat: { interval, missed } } } = this.#context;
    const watchers = strategy.isFullMesh ? undefined : WATCHERS_MAX;
    return new Heartbeat({ self: { name, incarnation }, interval, missed, watchers }, runtime.clock.now());
  }

  #tick(): void {
    const now = this.#context.runtime.clock.now();
    this.#divide();
    for (const peer of this.#context.pool.peers.values()) peer.listen(now);
    this.#driver.do(this.#heartbeat.tick(this.#env()));
  }

  #env(): HeartbeatEnv {
    const { health: { multiplier }, pool, runtime: { clock, random } } = this.#context;
    return { now: clock.now(), random: () => random.next(), peers: pool.peers, patience: multiplier };
  }

  /** Others hold this node for dead, or did: many say so at once, and users are told once. */
  #accused(): void {
    const { answerTimeout, emit, runtime: { clock }, self: { name } } = this.#context;
    const isToldNow = clock.now() - this.#accusedAt < 2 * answerTimeout;
    this.#accusedAt = clock.now();
    if (isToldNow) return;
    const message = `Others held "${name}" for dead: they heard nothing of it for ${answerTimeout} ms. ` +
      "It was stopped or too busy for so long, or the network was cut; they have told their users that it was down";
    emit("warning", { code: "held-for-dead", message, node: name });
  }

  #send(to: string, message: HeartbeatMessage): void {
    const peer = this.#context.pool.peers.get(to);
    if (peer === undefined) return;
    if (message === true) this.#expectHeartbeat(peer);
    else if (message === false) peer.heartbeatDue = Infinity;
    sendControl(peer, FrameKind.heartbeat, message);
  }

  #expectHeartbeat(peer: Peer): void {
    const { answerTimeout, runtime: { clock } } = this.#context;
    peer.heartbeatDue = clock.now() + answerTimeout;
  }

  #tell({ type, node, incarnation }: HeartbeatEvent): void {
    const { pool, emit } = this.#context;
    this.counts[type]++;
    if (type === "accused") this.#accused();
    const peer = pool.peers.get(node);
    if (type === "suspect") {
      this.#suspicion.suspected(node);
      emit("suspect", { node });
    } else if (type === "up" || type === "trusted") this.#suspicion.trusted(node);
    if (peer === undefined || peer.incarnation !== incarnation) return;
    if (type === "down") pool.silence(peer);
    else if (type === "up" || type === "trusted") pool.revive(peer);
    else if (type === "silentLink") pool.doubt(peer);
  }
}
