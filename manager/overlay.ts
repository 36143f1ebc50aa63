// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isElsewhere, type NodeIncarnation, type NodeSpec } from "../wire/node_spec.ts";
import { compareMembers } from "../strategy/compare_members.ts";
import type { Outgoing, StrategyContext, Transition } from "../strategy/strategy.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import type { Timer } from "../runtime/runtime.ts";
import { packSpecs, unpackSpecs } from "../wire/packed_specs.ts";
import type { Connection } from "../connections/connection.ts";
import type { Peer } from "../connections/peer.ts";
import { sendControl } from "./control_sender.ts";
import { sorted } from "./member_list.ts";
import { checkKind, STRING } from "../runtime/options.ts";
import type { NodeContext } from "./node_context.ts";
import { incarnationMax, type Refutation } from "./refutation.ts";
import type { ControlHandler, MembershipChange, Part } from "./part.ts";

/** Milliseconds for which what is to be told waits for others that are connecting, at most. */
const EXPECTING_MS = 2_000;

/** Runs the membership strategy: hands it what happens, and does what it answers. */
export class Overlay implements Part {
  readonly controls: readonly [FrameKind, ControlHandler][] = [
    [FrameKind.strategy, (peer, message, connection) => {
      this.receive(peer, this.#isPacked(connection) ? unpackSpecs(message) : message);
    }],
  ];
  readonly #context: NodeContext;
  readonly #strategy: NodeContext["settings"]["strategy"];
  readonly #changed: (change: MembershipChange) => void;
  readonly #refutation: Refutation;
  readonly #connected = new Set<string>();
  /** Those that are connected and no members, and have said nothing yet: they may want to join. */
  readonly #silent = new Set<string>();
  /** Those that an injected partition lies in front of. */
  readonly #separated = new WeakSet<Peer>();
  /** Tags for which slots are kept, in each incarnation of this node. */
  readonly #reserved = new Set<string>();
  #expecting: Timer | null = null;
  #state: unknown;
  #specs: readonly NodeSpec[] = [];

  /** Goes on with what `snapshot` remembers, if it is given. Tells by `changed` what becomes of the membership. */
  constructor(
    context: NodeContext,
    changed: (change: MembershipChange) => void,
    refutation: Refutation,
    snapshot: unknown,
  ) {
    this.#context = context;
    this.#refutation = refutation;
    this.#strategy = context.settings.strategy;
    this.#changed = changed;
    context.pool.accepting.undialed = () => this.catchUp();
    this.#begin(snapshot);
  }

  /** Everyone known to be in the cluster, by name, sorted. */
  get members(): ReadonlyMap<string, NodeSpec> {
    return this.#context.members;
  }

  /**
   * The strategy's state as a plain value.
   *
   * @param isKept Whether a member is worth remembering. By default, all are.
   */
  snapshot(isKept?: (node: NodeSpec) => boolean): unknown {
    return this.#strategy.snapshot(this.#state, isKept);
  }

  /** The members that a snapshot remembers, sorted by name. */
  membersOf(snapshot: unknown): NodeSpec[] {
    // A node that no other can have met stands in for the owner of the snapshot, which may remember this node as well.
    const reader: NodeSpec = { ...this.#context.self, name: "\0" };
    const { state } = this.#strategy.init(reader, this.#env(), snapshot);
    return sorted(this.#strategy.members(state)).filter(({ name }) => name !== reader.name);
  }

  /** Keeps connections with the nodes that the strategy wants. */
  connect(): void {
    this.#context.pool.want(this.#strategy.peers(this.#state));
  }

  /** Begins again as another incarnation, with what it knows. */
  restart(): void {
    this.#begin(this.snapshot());
  }

  #begin(snapshot: unknown): void {
    this.#connected.clear();
    this.#silent.clear();
    const { state, outgoing } = this.#strategy.init(this.#context.self, this.#env(), snapshot);
    this.#state = state;
    for (const tag of this.#reserved) this.#state = this.#strategy.reserve?.(this.#state, tag) ?? this.#state;
    this.#context.replaceMembers(this.#strategy.members(state));
    this.#send(outgoing);
    this.connect();
  }

  /** Joins the cluster of a connected peer. */
  join(peer: Peer): void {
    this.#apply(this.#strategy.join(this.#state, peer.spec, this.#env()));
  }

  /** Removes a node for good. */
  leave(node: NodeSpec): void {
    this.#apply(this.#strategy.leave(this.#state, node, this.#env()));
  }

  /** Keeps a slot for a node with a tag. @returns Whether there is one. */
  reserve(tag: string): boolean {
    checkKind("Cannot reserve a slot", "the tag", tag, STRING);
    if (this.#strategy.reserve === undefined) return true;
    const reserved = this.#strategy.reserve(this.#state, tag);
    if (reserved === null) return false;
    this.#reserved.add(tag);
    this.#apply({ state: reserved, outgoing: [] });
    return true;
  }

  /** Nodes that would have to join and to leave for the membership to be `wanted`. */
  compare(
    wanted: readonly NodeSpec[],
  ): { readonly joiners: readonly NodeSpec[]; readonly leavers: readonly NodeSpec[] } {
    return this.#strategy.compare?.(this.#state, wanted) ??
      compareMembers(this.#strategy.members(this.#state), wanted);
  }

  /** Tells the strategy that control messages reach a peer. */
  peerLinked(peer: Peer): void {
    this.#connected.add(peer.name);
    this.#introduce(peer);
    if (this.#strategy.knowsAll === true && !this.members.has(peer.name)) this.#silent.add(peer.name);
    this.#apply(this.#strategy.up(this.#state, peer.spec, this.#env()));
  }

  /** Tells the strategy that a peer is gone, for now at least. */
  peerUnlinked(peer: Peer): void {
    this.#connected.delete(peer.name);
    this.#apply(this.#strategy.down(this.#state, peer.spec, this.#env()));
    if (this.#silent.delete(peer.name)) this.catchUp();
  }

  /**
   * Tells a strategy of partial views that a peer can be reached again over connections that outlived an injected partition: what was said meanwhile,
   * such as that a node was removed, is not said again by itself.
   */
  partitionsChanged(): void {
    if (this.#strategy.knowsAll === true) return;
    for (const peer of this.#context.pool.peers.values()) {
      if (peer.partitioned) this.#separated.add(peer);
      else if (this.#separated.delete(peer) && this.#connected.has(peer.name)) {
        this.#apply(this.#strategy.up(this.#state, peer.spec, this.#env()));
      }
    }
  }

  /** Has the strategy tell what it kept back while others were connecting, if none is any more. */
  catchUp(): void {
    if (this.#expecting !== null && !this.#isExpecting()) this.#catchUp();
  }

  #catchUp(): void {
    this.#expecting?.cancel();
    this.#expecting = null;
    const caughtUp = this.#strategy.catchUp?.(this.#state, this.#env());
    if (caughtUp !== undefined) this.#apply(caughtUp);
  }

  /** Whether there are others of which some may be about to join. */
  #isExpecting(): boolean {
    return this.#silent.size > 0 || this.#context.pool.accepting.isBeingDialed;
  }

  /** Does not wait for others any more. */
  stopping(): void {
    this.#expecting?.cancel();
    this.#expecting = null;
  }

  /** Takes note whether a peer is one of the cluster. A strategy that knows only a part of it cannot tell, and takes every node for one. */
  #introduce(peer: Peer): void {
    if (this.#strategy.knowsAll !== true || this.members.has(peer.name)) peer.introduce();
  }

  /** Lets the strategy do its periodic work. */
  periodic(): void {
    this.#apply(this.#strategy.periodic(this.#state, this.#env()));
  }

  /**
   * Takes a message from another node's strategy.
   *
   * @throws {TypeError} When it is malformed.
   */
  receive(peer: Peer, message: unknown): void {
    this.#silent.delete(peer.name);
    // One that stops reads on while it writes.
    if (!this.#context.stopped && this.#isExpecting() && this.#strategy.catchUp !== undefined) {
      this.#expecting ??= this.#context.runtime.clock.schedule(EXPECTING_MS, () => this.#catchUp());
    }
    const next = this.#strategy.handleMessage(this.#state, peer.spec, message, this.#env());
    if (next.ignored !== undefined) this.#refutation.ignore(next.ignored);
    if (this.#isUnjustEnd(peer, next.state)) this.#send(next.outgoing.filter(({ to }) => to.name === peer.name));
    else this.#apply(next);
  }

  /**
   * Whether a state in which this node is no member comes of hearsay, which is answered then. It is just that a member removes the present
   * incarnation of this node, where that is allowed.
   */
  #isUnjustEnd(peer: Peer, state: unknown): boolean {
    const { self, members, settings: { allow } } = this.#context;
    if (state === this.#state || !members.has(self.name)) return false;
    const specs = this.#strategy.members(state);
    if (specs === this.#specs) return false;
    const own = specs.find(({ name }) => name === self.name);
    if (own !== undefined && isElsewhere(own, self)) {
      // A node that believes that would look for this node elsewhere. A newer incarnation is believed by all.
      this.#refutation.refute(self.incarnation);
      return true;
    }
    if (own !== undefined && own.incarnation <= self.incarnation) return false;
    const end = this.#strategy.endOf?.(state, self) ?? { incarnation: self.incarnation, isRemoval: own === undefined };
    const mayRemove = allow.removal && (this.#strategy.knowsAll !== true || members.has(peer.name));
    if (end.isRemoval && mayRemove && end.incarnation <= self.incarnation) return false;
    if (own !== undefined) this.#refutation.superseded(own);
    else this.#refutation.refute(end.incarnation);
    return true;
  }

  /** Removes a node that was down for long, so that it may come back. @returns Whether the strategy can do that. */
  evict(node: NodeSpec): boolean {
    const evicted = this.#strategy.evict?.(this.#state, node, this.#env());
    if (evicted !== undefined) this.#apply(evicted);
    return evicted !== undefined;
  }

  #env(): StrategyContext {
    const { clock, random } = this.#context.runtime;
    const { pool } = this.#context;
    return {
      now: clock.now(),
      random: () => random.next(),
      connected: this.#connected,
      incarnationOf: (name) => pool.peers.get(name)?.incarnation,
      incarnationMax: incarnationMax(this.#context),
      isExpecting: this.#isExpecting(),
    };
  }

  #apply({ state, outgoing }: Transition<unknown>): void {
    const changed = state !== this.#state;
    this.#state = state;
    this.#send(outgoing);
    if (changed) this.#compareMembers();
  }

  #compareMembers(): void {
    const specs = this.#strategy.members(this.#state);
    if (specs === this.#specs) return this.connect();
    this.#specs = specs;
    const { self, pool } = this.#context;
    const wasMember = this.members.has(self.name);
    const change = this.#context.replaceMembers(specs);
    this.connect();
    for (const { name } of [...change.joined, ...change.renewed]) {
      const peer = pool.peers.get(name);
      if (peer !== undefined) this.#introduce(peer);
    }
    const isOther = ({ name }: NodeSpec) => name !== self.name;
    const joined = change.joined.filter(isOther);
    const lost = change.lost.filter(isOther);
    // A newer incarnation under this name has taken the place of this one.
    const superseded = (this.members.get(self.name)?.incarnation ?? 0) > self.incarnation;
    const removed = wasMember && (superseded || !this.members.has(self.name));
    if (joined.length + lost.length + change.renewed.length > 0 || removed) {
      const left = lost.filter((node) => this.#hasLeft(node)).map((node) => this.#asLeft(node));
      this.#changed({ joined, lost, left, renewed: change.renewed, removed });
    }
  }

  /** Whether that incarnation of a node has ended, as far as the strategy knows, be it a member or not. */
  isOver({ name, incarnation }: NodeIncarnation): boolean {
    const none = { addresses: [], channels: {}, metadata: {} };
    return this.#strategy.hasLeft?.(this.#state, { name, incarnation, ...none }) ?? false;
  }

  /** Whether that incarnation of a node has ended because a later one has begun, as opposed to one that left or was removed. */
  isFollowed(node: NodeSpec): boolean {
    return this.#strategy.endOf?.(this.#state, node)?.isRemoval === false;
  }

  /**
   * A node that has left, in the last incarnation of which that is known. It was taken for one that goes on with the membership of a former
   * incarnation, and that is over: it may be the first one of a new membership, which it will show when it joins.
   */
  #asLeft(node: NodeSpec): NodeSpec {
    if (this.#strategy.hasLeft === undefined) return node;
    const { incarnation } = this.#strategy.endOf?.(this.#state, node) ?? node;
    return incarnation < node.incarnation ? { ...node, incarnation } : node;
  }

  #hasLeft(node: NodeSpec): boolean {
    return this.#strategy.hasLeft?.(this.#state, node) ?? true;
  }

  #send(outgoing: readonly Outgoing[]): void {
    const { pool } = this.#context;
    for (const { to, message } of outgoing) {
      const peer = pool.peers.get(to.name);
      if (peer === undefined || peer.membership === null) this.#reachAndSend(to, message);
      else this.#tell(peer, message);
    }
  }

  #tell(peer: Peer, message: unknown): void {
    const isPacked = peer.membership !== null && this.#isPacked(peer.membership);
    sendControl(peer, FrameKind.strategy, isPacked ? packSpecs(message) : message);
  }

  /** Whether specifications are packed over a connection. In a full mesh they go over each once, and are not worth looking for. */
  #isPacked({ features }: Connection<Peer>): boolean {
    return features.has("packed") && this.#strategy.isFullMesh !== true;
  }

  /** A node that does not answer misses the message: that is for the strategy to bear, as it is told in its contract. */
  async #reachAndSend(to: NodeSpec, message: unknown): Promise<void> {
    try {
      this.#tell(await this.#context.pool.reach(to.name, to.addresses), message);
    } catch {
      // Counted by the pool as a failed dial.
    }
  }
}
