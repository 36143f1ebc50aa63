// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Heartbeat } from "../gossip/heartbeat.ts";
import type { HeartbeatEnv, HeartbeatOutput } from "../gossip/heartbeat_types.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { Runtime, Timer } from "../runtime/runtime.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import type { Peer } from "../connections/peer.ts";
import { sendControl } from "./control_sender.ts";

/** The detector judges so many times per heartbeat interval. */
const TICKS_PER_INTERVAL = 4;

/** What a {@linkcode Liveness} needs from its surroundings. */
export interface LivenessOptions {
  readonly pool: ConnectionPool;
  readonly runtime: Runtime;
  /** Milliseconds between two beats. */
  readonly interval: number;
  /** Beats that may be missed in a row. */
  readonly missed: number;
  /** Nodes that watch one node, at most. */
  readonly watchers: number | undefined;
  readonly suspected: (node: string) => void;
}

/** Runs the failure detector: tells it what was heard, sends what it says, and has the pool act on its verdicts. */
export class Liveness {
  readonly #options: LivenessOptions;
  #heartbeat: Heartbeat;
  #timer: Timer | null = null;

  constructor(options: LivenessOptions, self: NodeSpec) {
    this.#options = options;
    this.#heartbeat = this.#detectorFor(self);
  }

  /** Begins to beat and to judge. */
  start(): void {
    const { runtime, interval } = this.#options;
    const tick = () => {
      this.#timer = runtime.clock.schedule(interval / TICKS_PER_INTERVAL, tick);
      this.#tick();
    };
    // A random phase keeps the nodes of a cluster that started at once from beating in step.
    this.#timer = runtime.clock.schedule(interval / TICKS_PER_INTERVAL * runtime.random.next(), tick);
  }

  /** Ends it. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Begins again as another life of this node. */
  restart(self: NodeSpec): void {
    this.#heartbeat = this.#detectorFor(self);
  }

  /** Takes note of who shares the watch. */
  share(peers: Iterable<string>): void {
    this.#heartbeat.setPeers(peers);
  }

  /** The membership connection with a peer opened. */
  linked(peer: Peer): void {
    this.#do(this.#heartbeat.peerConnected(peer.name, this.#env()));
  }

  /** The last connection with a peer closed. */
  unlinked(peer: Peer): void {
    if (!peer.connected) this.#do(this.#heartbeat.peerGone(peer.name, this.#env()));
  }

  /** A frame came from a peer that was held for dead. */
  heard(peer: Peer): void {
    this.#do(this.#heartbeat.heard(peer.name, this.#env()));
  }

  /** A node left the cluster. */
  forget(node: string): void {
    this.#heartbeat.forget(node);
  }

  /**
   * Takes a message of another node's detector.
   *
   * @throws {TypeError} When it is malformed.
   */
  receive(peer: Peer, message: unknown): void {
    this.#do(this.#heartbeat.receive(peer, message, this.#env()));
  }

  #detectorFor({ name, incarnation }: NodeSpec): Heartbeat {
    const { interval, missed, watchers, runtime } = this.#options;
    return new Heartbeat({ self: { name, incarnation }, interval, missed, watchers }, runtime.clock.now());
  }

  #tick(): void {
    const now = this.#options.runtime.clock.now();
    for (const peer of this.#options.pool.peers.values()) peer.listen(now);
    this.#do(this.#heartbeat.tick(this.#env()));
  }

  #env(): HeartbeatEnv {
    const { clock, random } = this.#options.runtime;
    return { now: clock.now(), random: () => random.next(), peers: this.#options.pool.peers };
  }

  #do({ outgoing, events }: HeartbeatOutput): void {
    const { pool, suspected } = this.#options;
    for (const { to, message } of outgoing) {
      const peer = pool.peers.get(to);
      if (peer !== undefined) sendControl(peer, FrameKind.heartbeat, message);
    }
    for (const { type, node, incarnation } of events) {
      const peer = pool.peers.get(node);
      if (type === "suspect") suspected(node);
      if (peer === undefined || peer.incarnation !== incarnation) continue;
      if (type === "down") pool.silence(peer);
      else if (type === "up" || type === "trusted") pool.revive(peer);
      else if (type === "silentLink") pool.doubt(peer);
    }
  }
}
