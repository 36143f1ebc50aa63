// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Heartbeat } from "../../gossip/heartbeat.ts";
import type { HeartbeatEvent, HeartbeatOutput } from "../../gossip/heartbeat_types.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import type { NodeIncarnation } from "../../wire/node_spec.ts";
import { type SeededRandom, seededRandom } from "../seeded_random.ts";
import { entryOf, nthOf } from "../values.ts";

/** Event that one node told about another. */
export interface Saying extends HeartbeatEvent {
  readonly at: number;
  readonly by: string;
  /** The incarnation of that one. */
  readonly byIncarnation: number;
}

export interface WorldOptions {
  readonly size: number;
  readonly seed: number;
  /** Least and most milliseconds that a frame takes. */
  readonly latency?: readonly [number, number];
  readonly missed?: number;
  /** Whether a pair is connected at all; every pair is by default. */
  readonly linked?: (a: number, b: number) => boolean;
}

interface Peer {
  incarnation: number;
  connected: boolean;
  heardAt: number;
}

interface Node {
  readonly index: number;
  identity: NodeIncarnation;
  detector: Heartbeat;
  readonly peers: Map<string, Peer>;
  state: "running" | "paused" | "dead";
  /** Frames that wait in the sockets of a paused node. */
  waiting: { readonly from: NodeIncarnation; readonly message: unknown }[];
}

const INTERVAL = 1000;

/** In milliseconds. */
export function seconds(count: number): number {
  return count * 1000;
}

/** Many detectors, a seeded network and virtual time. Frames between two nodes keep their order; a cut swallows them. */
export class HeartbeatWorld {
  readonly nodes: Node[];
  readonly sayings: Saying[] = [];
  frames = 0;
  readonly random: SeededRandom;
  readonly #latency: readonly [number, number];
  readonly #missed: number;
  readonly #clock = new VirtualClock();
  readonly #cuts = new Set<string>();
  readonly #arrivals = new Map<string, number>();

  constructor({ size, seed, latency = [0.5, 5], missed = 5, linked = () => true }: WorldOptions) {
    this.random = seededRandom(seed);
    this.#latency = latency;
    this.#missed = missed;
    this.nodes = Array.from({ length: size }, (_, index) => this.#create(index, 1));
    for (const a of this.nodes) {
      for (const b of this.nodes) {
        if (a === b || !linked(a.index, b.index)) continue;
        a.peers.set(b.identity.name, { incarnation: 1, connected: true, heardAt: 0 });
      }
    }
    for (const node of this.nodes) this.#start(node);
  }

  /** Virtual time, in milliseconds. */
  get now(): number {
    return this.#clock.now();
  }

  /** Lets virtual time go on. */
  run(duration: number): this {
    const end = this.now + duration;
    while ((this.#clock.peek()?.time ?? Infinity) <= end) this.#clock.runNext();
    this.#clock.moveTo(end);
    return this;
  }

  /** Calls `act` every `interval` milliseconds. */
  every(interval: number, act: () => void): void {
    const again = (): void => {
      act();
      this.#at(this.now + interval, again);
    };
    this.#at(this.now + interval, again);
  }

  /** Calls `act` once, after `delay` milliseconds. */
  after(delay: number, act: () => void): void {
    this.#at(this.now + delay, act);
  }

  /** Swallows all frames from `a` to `b` from now on, or no longer. */
  cutOneWay(a: number, b: number, cut: boolean): void {
    if (cut) this.#cuts.add(`${a}>${b}`);
    else this.#cuts.delete(`${a}>${b}`);
  }

  cut(a: number, b: number, cut: boolean): void {
    this.cutOneWay(a, b, cut);
    this.cutOneWay(b, a, cut);
  }

  /** Stops a node for good. Its connections stay as they are. */
  kill(index: number): void {
    nthOf(this.nodes, index).state = "dead";
  }

  pause(index: number): void {
    const node = nthOf(this.nodes, index);
    if (node.state === "running") node.state = "paused";
  }

  /** Lets a paused node read what waits in its sockets, and go on. */
  resume(index: number): void {
    const node = nthOf(this.nodes, index);
    if (node.state !== "paused") return;
    node.state = "running";
    for (const { from, message } of node.waiting.splice(0)) this.#read(node, from, message);
  }

  /** Ends the present incarnation of a node, closing its connections, and begins the next one at once. */
  restart(index: number): void {
    const node = nthOf(this.nodes, index);
    for (const [name] of node.peers) this.#close(this.#named(name), node.identity.name);
    const { incarnation } = node.identity;
    Object.assign(node, this.#create(index, incarnation + 1), { peers: node.peers });
    this.#start(node);
    for (const [name, peer] of node.peers) {
      peer.heardAt = this.now;
      const other = this.#named(name);
      other.peers.set(node.identity.name, {
        incarnation: node.identity.incarnation,
        connected: true,
        heardAt: this.now,
      });
      this.#carryOut(other, other.detector.peerConnected(node.identity.name, this.#env(other)));
    }
  }

  /** Closes the connection of two nodes, and opens it again after `delay`. */
  reconnect(a: number, b: number, delay: number): void {
    const [one, other] = [nthOf(this.nodes, a), nthOf(this.nodes, b)];
    this.#close(one, other.identity.name);
    this.#close(other, one.identity.name);
    this.#at(this.now + delay, () => {
      this.#open(one, other.identity.name);
      this.#open(other, one.identity.name);
    });
  }

  /** Everything of one type that was said, since a time. */
  said(type: HeartbeatEvent["type"], since = 0): Saying[] {
    return this.sayings.filter((saying) => saying.type === type && saying.at >= since);
  }

  /** Number of times that a node which lives holds another one for dead. */
  heldForDead(): number {
    const living = this.nodes.filter(({ state }) => state !== "dead");
    return living.reduce(
      (sum, { peers, detector }) => sum + [...peers.keys()].filter((name) => detector.isDown(name)).length,
      0,
    );
  }

  #create(index: number, incarnation: number): Node {
    const identity = { name: `n${index}`, incarnation };
    const detector = new Heartbeat({ self: identity, interval: INTERVAL, missed: this.#missed }, this.now);
    return { index, identity, detector, peers: new Map(), state: "running", waiting: [] };
  }

  #start(node: Node): void {
    const { detector } = node;
    detector.setPeers([...node.peers.keys()]);
    const tick = (): void => {
      if (node.detector !== detector || node.state === "dead") return;
      if (node.state === "running") this.#carryOut(node, detector.tick(this.#env(node)));
      this.#at(this.now + INTERVAL / 4, tick);
    };
    this.#at(this.now + this.random.next() * INTERVAL / 4, tick);
  }

  #env(node: Node): { now: number; random: () => number; peers: Map<string, Peer> } {
    return { now: this.now, random: this.random.next, peers: node.peers };
  }

  #carryOut(node: Node, output: HeartbeatOutput): void {
    for (const event of output.events) {
      this.sayings.push({
        ...event,
        at: this.now,
        by: node.identity.name,
        byIncarnation: node.identity.incarnation,
      });
    }
    for (const { to, message } of output.outgoing) this.#transmit(node, to, message);
  }

  #transmit(node: Node, to: string, message: unknown): void {
    this.frames++;
    const target = this.#named(to);
    const link = `${node.index}>${target.index}`;
    if (this.#cuts.has(link) || !node.peers.get(to)?.connected) return;
    const [least, most] = this.#latency;
    const at = Math.max(this.#arrivals.get(link) ?? 0, this.now + least + this.random.next() * (most - least));
    this.#arrivals.set(link, at);
    const from = node.identity;
    const incarnation = target.identity.incarnation;
    this.#at(at, () => {
      if (this.#cuts.has(link) || target.state === "dead" || target.identity.incarnation !== incarnation) return;
      if (target.state === "paused") target.waiting.push({ from, message });
      else this.#read(target, from, message);
    });
  }

  #read(node: Node, from: NodeIncarnation, message: unknown): void {
    const peer = node.peers.get(from.name);
    if (!peer?.connected || peer.incarnation !== from.incarnation) return;
    peer.heardAt = this.now;
    const env = this.#env(node);
    const { detector } = node;
    this.#carryOut(node, message === undefined ? detector.heard(from.name, env) : detector.receive(from, message, env));
  }

  #close(node: Node, peer: string): void {
    entryOf(node.peers, peer).connected = false;
    this.#carryOut(node, node.detector.peerGone(peer, this.#env(node)));
  }

  #open(node: Node, name: string): void {
    const peer = entryOf(node.peers, name);
    if (peer.connected || node.state === "dead" || this.#named(name).state === "dead") return;
    peer.connected = true;
    peer.heardAt = this.now;
    this.#carryOut(node, node.detector.peerConnected(name, this.#env(node)));
  }

  #named(name: string): Node {
    return nthOf(this.nodes, Number(name.slice(1)));
  }

  #at(at: number, run: () => void): void {
    this.#clock.schedule(at - this.now, run);
  }
}
