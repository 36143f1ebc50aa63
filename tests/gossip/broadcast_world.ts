// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert } from "@std/assert";
import { broadcastFromValue, type BroadcastMessage, broadcastToValue } from "../../gossip/broadcast_message.ts";
import { Plumtree } from "../../gossip/plumtree.ts";
import type { PlumtreeOptions } from "../../gossip/plumtree_options.ts";
import type { PlumtreeStep } from "../../gossip/plumtree_step.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { entryOf, nthOf, present } from "../values.ts";

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** One incarnation of a node. */
interface Member {
  readonly tree: Plumtree<number>;
  /** Times of delivery, by payload. */
  readonly delivered: Map<number, number>;
  neighbours: Set<string>;
  isUp: boolean;
  tickAt: number;
}

export const LAZY_INTERVAL = 1_000;
/** At least so much lies between two messages of a link: more than is lost when times are added. */
const IN_ORDER_MS = 1e-6;

/**
 * Broadcast trees over a graph of links, each an ordered stream with a latency of its own and some jitter, in virtual
 * time. Every payload is another number.
 */
export class BroadcastWorld {
  /** Payloads that arrived, wanted or not. */
  payloads = 0;
  /** Messages of all kinds. */
  messages = 0;
  /** Whether a message gets lost. */
  isLost = (_from: string, _to: string): boolean => false;
  readonly members = new Map<string, Member>();
  readonly #random: SeededRandom;
  readonly #latency = new Map<string, number>();
  /** Time at which the last message of a link arrives. */
  readonly #linkAt = new Map<string, number>();
  readonly #clock = new VirtualClock();
  #payload = 0;

  constructor(random: SeededRandom, graph: Graph, options: Partial<PlumtreeOptions<number>> = {}) {
    this.#random = random;
    for (const name of graph.keys()) {
      const tree = new Plumtree<number>({ name, incarnation: 1 }, {
        random: random.next,
        sizeOf: () => 100,
        lazyInterval: LAZY_INTERVAL,
        ...options,
      });
      this.members.set(name, { tree, delivered: new Map(), neighbours: new Set(), isUp: true, tickAt: Infinity });
    }
    for (const [name, neighbours] of graph) this.setNeighbours(name, neighbours);
  }

  /** Milliseconds since the world began. */
  get now(): number {
    return this.#clock.now();
  }

  get names(): string[] {
    return [...this.members.keys()].filter((name) => entryOf(this.members, name).isUp);
  }

  setNeighbours(name: string, neighbours: Iterable<string>): void {
    const member = entryOf(this.members, name);
    member.neighbours = new Set(neighbours);
    this.#perform(name, member.tree.setNeighbours(neighbours, this.now));
  }

  /** Broadcasts the next payload, and returns it. */
  broadcast(name: string): number {
    const member = entryOf(this.members, name);
    const payload = ++this.#payload;
    member.delivered.set(payload, this.now);
    this.#perform(name, member.tree.broadcast(payload, this.now));
    return payload;
  }

  /** The node is gone; its neighbours notice that after a while, or never. */
  crash(name: string, noticedAfter: number): void {
    entryOf(this.members, name).isUp = false;
    if (noticedAfter === Infinity) return;
    this.#schedule(this.now + noticedAfter, () => {
      for (const [other, { neighbours }] of this.members) {
        if (neighbours.has(name)) this.setNeighbours(other, [...neighbours].filter((neighbour) => neighbour !== name));
      }
    });
  }

  /** Lets `milliseconds` pass. */
  run(milliseconds: number): void {
    const end = this.now + milliseconds;
    while ((this.#clock.peek()?.time ?? Infinity) <= end) this.#clock.runNext();
    this.#clock.moveTo(end);
  }

  /** Names of the live nodes that do not have a payload. */
  without(payload: number): string[] {
    return this.names.filter((name) => !entryOf(this.members, name).delivered.has(payload));
  }

  #perform(name: string, step: PlumtreeStep<number>): void {
    const member = entryOf(this.members, name);
    for (const { payload } of step.events) {
      assert(!member.delivered.has(payload), `broadcast ${payload} is delivered to ${name} twice`);
      member.delivered.set(payload, this.now);
    }
    for (const { to, message } of step.outgoing) this.#send(name, to, message);
    const nextAt = member.tree.nextAt;
    if (nextAt >= member.tickAt) return;
    member.tickAt = nextAt;
    this.#schedule(nextAt, () => this.#tick(name, nextAt));
  }

  #tick(name: string, at: number): void {
    const member = entryOf(this.members, name);
    if (member.tickAt !== at || !member.isUp) return;
    member.tickAt = Infinity;
    this.#perform(name, member.tree.tick(this.now));
  }

  #send(from: string, to: string, message: BroadcastMessage<number>): void {
    this.messages++;
    if (this.isLost(from, to)) return;
    const link = `${from}>${to}`;
    let latency = this.#latency.get(link);
    if (latency === undefined) this.#latency.set(link, latency = 1 + this.#random.next() * 10);
    const at = Math.max(
      this.now + latency * (1 + this.#random.next() / 4),
      (this.#linkAt.get(link) ?? 0) + IN_ORDER_MS,
    );
    this.#linkAt.set(link, at);
    const value = broadcastToValue(message);
    this.#schedule(at, () => {
      if (!entryOf(this.members, to).isUp) return;
      if (message.kind === "gossip" || message.kind === "repair") this.payloads++;
      const received = broadcastFromValue(structuredClone(value)) as BroadcastMessage<number>;
      this.#perform(to, entryOf(this.members, to).tree.receive(from, received, this.now));
    });
  }

  #schedule(at: number, run: () => void): void {
    this.#clock.schedule(Math.max(0, at - this.now), run);
  }
}

export function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `node-${index}`);
}

/** A connected graph in which each node has about `degree` neighbours, like the active views of HyParView. */
export function partialViews(random: SeededRandom, count: number, degree: number): Map<string, Set<string>> {
  const names = random.shuffle(namesOf(count));
  const graph = new Map(names.map((name) => [name, new Set<string>()]));
  const link = (one: string, other: string) => {
    if (one === other) return;
    entryOf(graph, one).add(other);
    entryOf(graph, other).add(one);
  };
  for (let index = 1; index < count; index++) link(nthOf(names, index), present(names[random.int(index)]));
  for (let links = count - 1; links < (count * degree) / 2; links++) link(random.pick(names), random.pick(names));
  return graph;
}

/** Whether the graph hangs together without some of its nodes. */
export function isConnected(graph: Graph, without: readonly string[] = []): boolean {
  const names = [...graph.keys()].filter((name) => !without.includes(name));
  const reached = new Set(names.slice(0, 1));
  for (const name of reached) {
    for (const neighbour of entryOf(graph, name)) if (!without.includes(neighbour)) reached.add(neighbour);
  }
  return reached.size === names.length;
}
