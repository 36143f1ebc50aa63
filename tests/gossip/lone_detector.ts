// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Heartbeat } from "../../gossip/heartbeat.ts";
import type {
  HeartbeatEnv,
  HeartbeatEvent,
  HeartbeatOptions,
  HeartbeatOutgoing,
  HeartbeatOutput,
} from "../../gossip/heartbeat_types.ts";
import { seededRandom } from "../seeded_random.ts";
import { entryOf } from "../values.ts";

interface Peer {
  incarnation: number;
  connected: boolean;
  heardAt: number;
}

/** One detector, named "me" in its 5th incarnation, whose peers are in their first one, and are played by the test. */
export class LoneDetector {
  readonly detector: Heartbeat;
  readonly peers = new Map<string, Peer>();
  readonly #random = seededRandom(1);
  now = 0;
  /** Factor of patience, which grows as its node is late. */
  patience = 1;
  /** Messages of the last call, or of the last wait. */
  sent: HeartbeatOutgoing[] = [];
  events: HeartbeatEvent[] = [];

  constructor(peers: readonly string[], options: Partial<HeartbeatOptions> = {}) {
    this.detector = new Heartbeat({ self: { name: "me", incarnation: 5 }, ...options }, this.now);
    for (const name of peers) this.peers.set(name, { incarnation: 1, connected: true, heardAt: 0 });
    this.detector.setPeers(peers);
    this.#take([this.detector.tick(this.#env())]);
  }

  /** Lets time go on with a tick every 250 ms, while a frame comes from each of `heard` before each tick. */
  wait(duration: number, heard: readonly string[] = []): this {
    const outputs: HeartbeatOutput[] = [];
    for (const end = this.now + duration; this.now < end;) {
      this.now += 250;
      for (const name of heard) entryOf(this.peers, name).heardAt = this.now;
      outputs.push(this.detector.tick(this.#env()));
    }
    this.#take(outputs);
    return this;
  }

  /** Lets time go on without a tick. */
  sleep(duration: number): this {
    this.now += duration;
    return this;
  }

  /** A frame from `name`, with a message. */
  hear(name: string, message: unknown, incarnation = 1): this {
    const peer = this.peers.get(name);
    if (peer?.incarnation === incarnation) peer.heardAt = this.now;
    this.#take([this.detector.receive({ name, incarnation }, message, this.#env())]);
    return this;
  }

  /** The connection to `name` opens. */
  connect(name: string, incarnation = 1): this {
    this.peers.set(name, { incarnation, connected: true, heardAt: this.now });
    this.#take([this.detector.peerConnected(name, this.#env())]);
    return this;
  }

  /** The connection to `name` closes. */
  disconnect(name: string): this {
    entryOf(this.peers, name).connected = false;
    this.#take([this.detector.peerGone(name, this.#env())]);
    return this;
  }

  /** A frame that is no heartbeat comes from `name`. */
  frame(name: string): this {
    entryOf(this.peers, name).heardAt = this.now;
    this.#take([this.detector.heard(name, this.#env())]);
    return this;
  }

  /** The messages sent to `name`. */
  sentTo(name: string): unknown[] {
    return this.sent.filter(({ to }) => to === name).map(({ message }) => message);
  }

  /** The events as `"type node"`. */
  get news(): string[] {
    return this.events.map(({ type, node }) => `${type} ${node}`);
  }

  #env(): HeartbeatEnv {
    const { now, peers, patience } = this;
    return { now, random: this.#random.next, peers, patience };
  }

  #take(outputs: readonly HeartbeatOutput[]): void {
    this.sent = outputs.flatMap(({ outgoing }) => outgoing);
    this.events = outputs.flatMap(({ events }) => events);
  }
}
