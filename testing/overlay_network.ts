// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { SeededRandom } from "./seeded_random.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** One node, as the network sees it. */
export interface Endpoint {
  /** Specification of its present incarnation. */
  readonly spec: NodeSpec;
  /** Nodes of different groups cannot reach each other. */
  readonly group: number;
  /** Whether it wants to keep a connection with that node. */
  wants(name: string): boolean;
  /** A connection with `peer` opened. */
  up(peer: NodeSpec): void;
  /** The connection with `peer` is gone, or could not be opened. */
  down(peer: NodeSpec): void;
  /** A message came. */
  receive(from: NodeSpec, message: unknown): void;
}

/** Options of the network. Times are milliseconds. */
export interface NetworkOptions {
  /** The least and the greatest time that a message takes. */
  readonly latency: readonly [number, number];
  /** The greatest time until an end notices that its connection is broken. */
  readonly notice: number;
  /** From one attempt to dial a node to the next at first; it doubles up to eight times that. */
  readonly redial: number;
  /** Whether a node is told that one that it dialed is down when that cannot be reached. */
  readonly tellUnreachable: boolean;
}

/** Time for which an unwanted connection stays open after its last message, in greatest latencies. */
const IDLE_GRACE = 4;

interface Dial {
  readonly to: NodeSpec;
  /** Actions to take once it is open. */
  readonly waiting: (() => void)[];
  attempts: number;
}

/**
 * The connections between nodes whose strategies are simulated. One connects a pair and carries messages both ways, in
 * order. It is opened and kept as long as either end wants it, or to deliver a message, and closed afterwards.
 */
export class OverlayNetwork {
  /** Number of messages sent. */
  messages = 0;
  /** Number of dials. */
  dials = 0;
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #options: NetworkOptions;
  readonly #byName = new Map<string, Attached>();

  /** A network without nodes. */
  constructor(clock: VirtualClock, random: SeededRandom, options: NetworkOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#options = options;
  }

  /** Lets a node take part. */
  attach(endpoint: Endpoint): void {
    this.#byName.set(endpoint.spec.name, new Attached(endpoint));
  }

  /** Takes a node away; its connections break. */
  detach(name: string): void {
    const node = this.#byName.get(name);
    if (node === undefined) return;
    this.#byName.delete(name);
    for (const link of node.links.values()) this.#break(link);
    node.dials.clear();
    node.isGone = true;
  }

  /** The nodes to which that node has an open connection, in the order in which these opened. */
  linked(name: string): string[] {
    return [...this.#byName.get(name)?.links.keys() ?? []];
  }

  /** The nodes to which that node believes to have an open connection. */
  connected(name: string): ReadonlySet<string> {
    return this.#byName.get(name)?.connected ?? new Set();
  }

  /** Breaks every connection between different groups. */
  breakAcrossGroups(): void {
    for (const node of this.#byName.values()) {
      for (const link of node.links.values()) {
        if (link.ends[0].endpoint.group !== link.ends[1].endpoint.group) this.#break(link);
      }
    }
  }

  /** Sends a message, over a connection of its own when there is none. */
  send(from: string, to: NodeSpec, message: unknown): void {
    const sender = this.#byName.get(from);
    if (sender === undefined) return;
    this.messages++;
    const overLink = () => {
      const link = sender.links.get(to.name);
      if (link !== undefined) this.#deliver(link, sender, message);
    };
    // What is sent over a connection that is broken, unnoticed so far, is lost.
    if (sender.links.has(to.name) || sender.connected.has(to.name)) overLink();
    else this.dial(from, to, overLink);
  }

  /** Opens a connection, then calls `opened`. Without effect when `to` cannot be reached, unless it is wanted: then it is tried again. */
  dial(from: string, to: NodeSpec, opened?: () => void): void {
    const dialer = this.#byName.get(from);
    if (dialer === undefined) return;
    if (dialer.links.has(to.name)) return opened?.();
    const under = dialer.dials.get(to.name);
    if (opened !== undefined) under?.waiting.push(opened);
    if (under !== undefined && under.to.incarnation >= to.incarnation) return;
    const dial: Dial = { to, waiting: under?.waiting ?? (opened ? [opened] : []), attempts: 0 };
    dialer.dials.set(to.name, dial);
    this.#attempt(dialer, dial, 2 * this.#latency());
  }

  /** That node wants no connection with the other one any more: it is closed unless the other one wants it. */
  release(name: string, other: string): void {
    const link = this.#byName.get(name)?.links.get(other);
    if (link !== undefined) this.#closeIfUnwanted(link);
  }

  #latency(): number {
    const [least, greatest] = this.#options.latency;
    return least + (greatest - least) * this.#random.next();
  }

  #attempt(dialer: Attached, dial: Dial, delay: number): void {
    this.#clock.schedule(delay, () => {
      const { to } = dial;
      if (dialer.isGone || dialer.dials.get(to.name) !== dial) return;
      this.dials++;
      const target = this.#byName.get(to.name);
      if (target !== undefined && isReachable(dialer.endpoint, target.endpoint, to)) {
        dialer.dials.delete(to.name);
        this.#open(dialer, target);
        for (const opened of dial.waiting) opened();
        return;
      }
      dial.waiting.length = 0;
      dial.attempts++;
      if (this.#options.tellUnreachable) dialer.endpoint.down(to);
      if (!dialer.endpoint.wants(to.name)) {
        dialer.dials.delete(to.name);
        return;
      }
      const wait = this.#options.redial * Math.min(2 ** (dial.attempts - 1), 8);
      this.#attempt(dialer, dial, wait * (0.5 + this.#random.next() / 2));
    });
  }

  #open(a: Attached, b: Attached): void {
    if (a.links.has(b.name)) return;
    const link = new Link(a, b);
    a.links.set(b.name, link);
    b.links.set(a.name, link);
    for (const [node, peer] of [[a, b], [b, a]] as const) {
      this.#notice(node, peer.endpoint.spec);
      if (node.isGone || !link.isOpen) continue;
      node.connected.add(peer.name);
      node.endpoint.up(peer.endpoint.spec);
    }
    this.#closeIfUnwanted(link);
  }

  /** Tells a node that its connection is gone, once. */
  #notice(node: Attached, peer: NodeSpec): void {
    if (node.connected.delete(peer.name)) node.endpoint.down(peer);
  }

  #break(link: Link): void {
    if (!this.#unlink(link)) return;
    for (const [node, peer] of link.directions()) {
      const spec = peer.endpoint.spec;
      this.#clock.schedule(this.#options.notice * this.#random.next(), () => {
        if (!node.isGone && !node.links.has(spec.name)) this.#afterNotice(node, spec);
      });
    }
  }

  #afterNotice(node: Attached, peer: NodeSpec): void {
    this.#notice(node, peer);
    if (node.endpoint.wants(peer.name)) this.dial(node.name, peer);
  }

  #unlink(link: Link): boolean {
    if (!link.isOpen) return false;
    link.isOpen = false;
    const [a, b] = link.ends;
    a.links.delete(b.name);
    b.links.delete(a.name);
    return true;
  }

  #deliver(link: Link, sender: Attached, message: unknown): void {
    const side = link.ends[0] === sender ? 0 : 1;
    const receiver = link.ends[1 - side]!;
    const { spec } = sender.endpoint;
    const now = this.#clock.now();
    const time = Math.max(link.lastDelivery[side], now + this.#latency());
    link.lastDelivery[side] = time;
    this.#clock.schedule(time - now, () => {
      if (link.isOpen) receiver.endpoint.receive(spec, message);
    });
  }

  #closeIfUnwanted(link: Link): void {
    if (link.isClosing || link.isWanted) return;
    link.isClosing = true;
    const now = this.#clock.now();
    const idleGrace = IDLE_GRACE * this.#options.latency[1];
    const time = Math.max(now, ...link.lastDelivery) + idleGrace;
    this.#clock.schedule(time - now, () => {
      link.isClosing = false;
      if (!link.isOpen || link.isWanted) return;
      if (Math.max(...link.lastDelivery) + idleGrace > this.#clock.now()) return this.#closeIfUnwanted(link);
      this.#unlink(link);
      for (const [node, peer] of link.directions()) this.#notice(node, peer.endpoint.spec);
    });
  }
}

/** A node that takes part, in one of its incarnations. */
class Attached {
  readonly endpoint: Endpoint;
  readonly name: string;
  readonly links = new Map<string, Link>();
  readonly dials = new Map<string, Dial>();
  readonly connected = new Set<string>();
  isGone = false;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
    this.name = endpoint.spec.name;
  }
}

class Link {
  readonly ends: readonly [Attached, Attached];
  readonly lastDelivery: [number, number] = [0, 0];
  isOpen = true;
  isClosing = false;

  constructor(a: Attached, b: Attached) {
    this.ends = [a, b];
  }

  get isWanted(): boolean {
    const [a, b] = this.ends;
    return a.endpoint.wants(b.name) || b.endpoint.wants(a.name);
  }

  directions(): readonly (readonly [Attached, Attached])[] {
    const [a, b] = this.ends;
    return [[a, b], [b, a]];
  }
}

function isReachable(from: Endpoint, target: Endpoint, dialed: NodeSpec): boolean {
  return from.group === target.group && target.spec.addresses[0]?.port === dialed.addresses[0]?.port;
}
