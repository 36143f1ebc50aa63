// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Outgoing, Strategy, StrategyContext, Transition } from "../strategy/strategy.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import type { Peer } from "../connections/peer.ts";
import { sendControl } from "./control_sender.ts";

/** What changed in the membership, as far as this node knows it. */
export interface MembershipChange {
  /** Nodes that were not members before. */
  readonly joined: readonly NodeSpec[];
  /** Nodes that left the cluster; not those that are merely forgotten here. */
  readonly left: readonly NodeSpec[];
  /** Members of which a newer life became known. */
  readonly renewed: readonly NodeSpec[];
  /** Whether this node itself is no longer a member. */
  readonly removed: boolean;
}

/** What an {@linkcode Overlay} needs from its surroundings. */
export interface OverlayOptions {
  readonly strategy: Strategy;
  readonly pool: ConnectionPool;
  readonly runtime: Runtime;
  readonly changed: (change: MembershipChange) => void;
}

/** Runs the membership strategy: hands it what happens, and does what it answers. */
export class Overlay {
  readonly #options: OverlayOptions;
  readonly #connected = new Set<string>();
  /** Tags for which places are kept, in each life of this node. */
  readonly #reserved = new Set<string>();
  #self: NodeSpec;
  #state: unknown;
  #specs: readonly NodeSpec[] = [];
  #members: ReadonlyMap<string, NodeSpec>;
  #seeking = false;

  constructor(options: OverlayOptions, self: NodeSpec, snapshot?: unknown) {
    this.#options = options;
    this.#self = self;
    this.#members = new Map();
    this.restart(self, snapshot);
  }

  /** Everyone known to be in the cluster, by name, sorted. */
  get members(): ReadonlyMap<string, NodeSpec> {
    return this.#members;
  }

  /** The strategy's state as a plain value. */
  snapshot(): unknown {
    return this.#options.strategy.snapshot(this.#state);
  }

  /** The members that a snapshot remembers, sorted by name. */
  membersOf(snapshot: unknown): NodeSpec[] {
    const { strategy } = this.#options;
    // A node that nobody can have met stands in for the owner of the snapshot, which may remember this node as well.
    const reader: NodeSpec = { ...this.#self, name: "\0" };
    const { state } = strategy.init(reader, this.#context(), snapshot);
    return [...byName(strategy.members(state)).values()].filter(({ name }) => name !== reader.name);
  }

  /** Keeps connections with whom the strategy wants. */
  connect(): void {
    this.#options.pool.want(this.#options.strategy.peers(this.#state));
  }

  /** Begins again as `self`: alone, or with what `snapshot` remembers. */
  restart(self: NodeSpec, snapshot?: unknown): void {
    this.#self = self;
    this.#connected.clear();
    const { state, outgoing } = this.#options.strategy.init(self, this.#context(), snapshot);
    this.#state = state;
    for (const tag of this.#reserved) this.#state = this.#options.strategy.reserve?.(this.#state, tag) ?? this.#state;
    this.#members = byName(this.#options.strategy.members(state));
    this.#send(outgoing);
    this.connect();
  }

  /** Joins the cluster of a connected peer. */
  join(peer: Peer): void {
    this.#apply(this.#options.strategy.join(this.#state, peer.spec, this.#context()));
  }

  /** Removes a node for good. */
  leave(node: NodeSpec): void {
    this.#apply(this.#options.strategy.leave(this.#state, node, this.#context()));
  }

  /** Forgets nodes here only. */
  prune(nodes: readonly NodeSpec[]): void {
    this.#apply(this.#options.strategy.prune(this.#state, nodes, this.#context()));
  }

  /** Keeps a place for a node with a tag. @returns Whether there is one. */
  reserve(tag: string): boolean {
    const { strategy } = this.#options;
    if (strategy.reserve === undefined) return true;
    const reserved = strategy.reserve(this.#state, tag);
    if (reserved === null) return false;
    this.#reserved.add(tag);
    this.#apply({ state: reserved, outgoing: [] });
    return true;
  }

  /** Who would have to join and to leave for the membership to be `wanted`. */
  compare(
    wanted: readonly NodeSpec[],
  ): { readonly joiners: readonly NodeSpec[]; readonly leavers: readonly NodeSpec[] } {
    return this.#options.strategy.compare(this.#state, wanted);
  }

  /** Tells the strategy that control messages reach a peer. */
  linked(peer: Peer): void {
    this.#connected.add(peer.name);
    this.#apply(this.#options.strategy.up(this.#state, peer.spec, this.#context()));
  }

  /** Tells the strategy that a peer is gone, for now at least. */
  unlinked(peer: Peer): void {
    this.#connected.delete(peer.name);
    this.#apply(this.#options.strategy.down(this.#state, peer.spec, this.#context()));
  }

  /** Lets the strategy do its periodic work, and looks for the others when none can be reached. */
  periodic(): void {
    this.#apply(this.#options.strategy.periodic(this.#state, this.#context()));
    if (this.#connected.size === 0 && !this.#seeking) this.#seek();
  }

  /**
   * Takes a message from another node's strategy.
   *
   * @throws {TypeError} When it is malformed.
   */
  receive(peer: Peer, message: unknown): void {
    this.#apply(this.#options.strategy.handleMessage(this.#state, peer.spec, message, this.#context()));
  }

  #context(): StrategyContext {
    const { clock, random } = this.#options.runtime;
    return { now: clock.now(), random: () => random.next(), connected: this.#connected };
  }

  #apply({ state, outgoing }: Transition<unknown>): void {
    const changed = state !== this.#state;
    this.#state = state;
    this.#send(outgoing);
    if (changed) this.#compareMembers();
  }

  #compareMembers(): void {
    const specs = this.#options.strategy.members(this.#state);
    if (specs === this.#specs) return this.connect();
    this.#specs = specs;
    const before = this.#members;
    const members = byName(specs);
    this.#members = members;
    this.connect();
    const joined = [...members.values()].filter(({ name }) => !before.has(name) && name !== this.#self.name);
    const lost = [...before.values()].filter(({ name }) => !members.has(name) && name !== this.#self.name);
    const renewed = [...members.values()].filter(({ name, incarnation }) =>
      incarnation > (before.get(name)?.incarnation ?? incarnation)
    );
    // A newer life under this name has taken the place of this one.
    const superseded = (members.get(this.#self.name)?.incarnation ?? 0) > this.#self.incarnation;
    const removed = before.has(this.#self.name) && (superseded || !members.has(this.#self.name));
    if (joined.length + lost.length + renewed.length > 0 || removed) {
      this.#options.changed({ joined, left: lost.filter((node) => this.#hasLeft(node)), renewed, removed });
    }
  }

  #hasLeft(node: NodeSpec): boolean {
    return this.#options.strategy.hasLeft?.(this.#state, node) ?? true;
  }

  /** Asks whoever lives where a member used to: when all restart, they may change addresses among each other, as containers do. */
  async #seek(): Promise<void> {
    const { pool, runtime } = this.#options;
    const others = [...this.#members.values()].filter(({ name }) => name !== this.#self.name);
    const addresses = others.flatMap(({ addresses }) => addresses);
    const address = addresses[Math.floor(runtime.random.next() * addresses.length)];
    if (address === undefined) return;
    this.#seeking = true;
    try {
      await pool.reach(null, [address]);
    } catch {
      // Counted by the pool as a failed dial.
    }
    this.#seeking = false;
  }

  #send(outgoing: readonly Outgoing[]): void {
    const { pool } = this.#options;
    for (const { to, message } of outgoing) {
      const peer = pool.peers.get(to.name);
      if (peer === undefined || peer.membership === null) this.#reachAndSend(to, message);
      else sendControl(peer, FrameKind.strategy, message);
    }
  }

  /** A node that does not answer misses the message: that is for the strategy to bear, as it is told in its contract. */
  async #reachAndSend(to: NodeSpec, message: unknown): Promise<void> {
    try {
      sendControl(await this.#options.pool.reach(to.name, to.addresses), FrameKind.strategy, message);
    } catch {
      // Counted by the pool as a failed dial.
    }
  }
}

function byName(specs: readonly NodeSpec[]): ReadonlyMap<string, NodeSpec> {
  return new Map(specs.map((spec) => [spec.name, spec] as const).sort(([a], [b]) => a < b ? -1 : 1));
}
