// Copyright 2026 the Partisan peer-service authors. MIT license.

import { fromRanges, toRanges } from "../wire/sequence_ranges.ts";
import { Announcements } from "./announcements.ts";
import { BroadcastCache, type BroadcastCacheOptions } from "./broadcast_cache.ts";
import { BroadcastHistory } from "./broadcast_history.ts";
import { type BroadcastId, broadcastKey, type BroadcastRanges, packIds, unpackIds } from "./broadcast_id.ts";
import { type Broadcast, type BroadcastMessage, broadcastOf, payloadMessage } from "./broadcast_message.ts";
import { BroadcastTrees } from "./broadcast_trees.ts";
import { MissingBroadcasts } from "./missing_broadcasts.ts";
import type { PlumtreeLoad, PlumtreeOptions } from "./plumtree_options.ts";
import { type PlumtreeStep, PlumtreeTurn } from "./plumtree_step.ts";

/** Bytes of broadcasts that one request is answered with. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/**
 * Broadcast over a tree that repairs itself: Leitão, Pereira and Rodrigues, "Epidemic broadcast trees" (SRDS 2007). A
 * broadcast is pushed along the links of a tree and only announced along all others. A duplicate shows that a link is not
 * needed in the tree (prune); an announced broadcast that does not come shows that one is missing (graft).
 *
 * As in Partisan, and unlike in the paper, each root has a tree of its own. In a shared tree, broadcasts of two roots that are
 * under way together take different links of a circle for the one too many, and cut it twice: with many roots that
 * never came to rest (measured: a redundancy of 0.8 at 100 broadcasts a second by 100 nodes). A new root begins with
 * a copy of a tree that is there already, so that its first broadcast is no flood.
 *
 * Beyond the paper, broadcasts are kept for a while, and neighbours exchange summaries of them, when a link comes up and
 * now and then, so that one that was away gets what it missed.
 *
 * @typeParam T What is broadcast.
 */
export class Plumtree<T> {
  readonly #self: { readonly name: string; readonly incarnation: number };
  readonly #options: Required<Omit<PlumtreeOptions<T>, keyof BroadcastCacheOptions>>;
  readonly #cache: BroadcastCache<T>;
  readonly #history: BroadcastHistory;
  readonly #missing: MissingBroadcasts;
  readonly #announcements: Announcements;
  readonly #trees: BroadcastTrees;
  #exchangeAt = Infinity;
  #sequence = 0;

  /** Begins without neighbours. `self` is this node's present incarnation. */
  constructor(self: { readonly name: string; readonly incarnation: number }, options: PlumtreeOptions<T>) {
    this.#self = self;
    this.#options = {
      lazyInterval: 1_000,
      graftTimeout: 250,
      exchangeInterval: 10_000,
      missingMax: 10_000,
      rootsMax: 1_024,
      incarnationOf: () => undefined,
      ...options,
    };
    const { lazyInterval, graftTimeout, missingMax, rootsMax, incarnationOf } = this.#options;
    this.#cache = new BroadcastCache(options);
    this.#history = new BroadcastHistory(rootsMax, incarnationOf);
    this.#trees = new BroadcastTrees(rootsMax);
    this.#missing = new MissingBroadcasts(graftTimeout, missingMax);
    this.#announcements = new Announcements(lazyInterval, missingMax);
  }

  /**
   * Neighbours to which broadcasts of `root` are pushed: the links of its tree. Sorted.
   *
   * @param root Root of the tree; the one that was heard last by default.
   */
  eager(root?: string): string[] {
    return this.#trees.eager(root).sort();
  }

  /**
   * Neighbours to which broadcasts of `root` are announced. Sorted.
   *
   * @param root Root of the tree; the one that was heard last by default.
   */
  lazy(root?: string): string[] {
    return this.#trees.lazy(root).sort();
  }

  /** The root that was heard last, once one was. */
  get lastRoot(): string | undefined {
    return this.#trees.lastRoot;
  }

  /** Amount that is kept now. */
  get load(): PlumtreeLoad {
    const { size: cached, bytes: cachedBytes } = this.#cache;
    return { cached, cachedBytes, missing: this.#missing.size, roots: Math.max(this.#history.size, this.#trees.size) };
  }

  /** Whether nothing was broadcast here that it still remembers, and there is no tree. */
  get isEmpty(): boolean {
    const { cached, missing, roots } = this.load;
    return cached + missing + roots === 0;
  }

  /** Makes `names`, which must be connected, the neighbours from now on. */
  setNeighbours(names: Iterable<string>, now: number): PlumtreeStep<T> {
    const wanted = new Set(names);
    for (const name of [...this.#trees.neighbours]) {
      if (wanted.has(name)) continue;
      this.#trees.delete(name);
      this.#announcements.forget(name);
    }
    const turn = new PlumtreeTurn<T>();
    this.#cache.expire(now);
    for (const name of wanted) {
      if (this.#trees.neighbours.has(name)) continue;
      // The trees that bring this node all that it needs are not to lose their shape, and their balance, by a new link.
      const roots = this.#trees.served(this.#self.name);
      this.#trees.add(name);
      if (roots.length > 0) turn.send(name, { kind: "prune", roots });
      this.#sendSummary(name, turn);
    }
    return this.#end(turn);
  }

  /** Broadcasts `payload`. It is not delivered to this node itself. */
  broadcast(payload: T, now: number): PlumtreeStep<T> & { readonly id: BroadcastId } {
    const id = { root: this.#self.name, incarnation: this.#self.incarnation, sequence: ++this.#sequence };
    const turn = new PlumtreeTurn<T>();
    this.#history.add(id);
    this.#keep({ id, payload, bornAt: now }, false, now);
    this.#spread({ id, payload, bornAt: now }, undefined, now, turn);
    return { id, ...this.#end(turn) };
  }

  /** Takes a message from another node. */
  receive(from: string, message: BroadcastMessage<T>, now: number): PlumtreeStep<T> {
    const turn = new PlumtreeTurn<T>();
    switch (message.kind) {
      case "gossip":
        this.#receiveGossip(from, broadcastOf(message, now), now, turn);
        break;
      case "ihave":
        for (const id of unpackIds(message.ids)) if (!this.#hasFromTree(id)) this.#missing.add(id, from, now);
        break;
      case "graft":
        for (const { root } of message.ids) this.#trees.graft(root, from);
        this.#answer(from, message.ids, "gossip", now, turn);
        break;
      case "prune":
        for (const root of message.roots) this.#trees.prune(root, from);
        break;
      case "summary":
        this.#receiveSummary(from, message.ids, message.isAnswer, turn);
        break;
      case "request":
        this.#answer(from, message.ids, "repair", now, turn);
        break;
      case "repair":
        this.#receiveRepair(from, broadcastOf(message, now), now, turn);
        break;
    }
    return this.#end(turn);
  }

  /** Does what is due. */
  tick(now: number): PlumtreeStep<T> {
    const turn = new PlumtreeTurn<T>();
    this.#cache.expire(now);
    for (const [name, ids] of this.#announcements.take(now)) turn.send(name, { kind: "ihave", ids: packIds(ids) });
    for (const [announcer, ids] of this.#missing.due(now, (name) => this.#trees.neighbours.has(name))) {
      this.#graft(announcer, ids, turn);
    }
    if (this.#exchangeAt <= now) this.#exchange(now, turn);
    return this.#end(turn);
  }

  /** Time at which the next {@linkcode tick} has something to do; `Infinity` for not before another event. */
  get nextAt(): number {
    return Math.min(this.#announcements.nextAt, this.#missing.nextAt, this.#exchangeAt);
  }

  #end({ outgoing, events }: PlumtreeTurn<T>): PlumtreeStep<T> {
    return { outgoing, events, nextAt: this.nextAt };
  }

  #receiveGossip(from: string, broadcast: Broadcast<T>, now: number, turn: PlumtreeTurn<T>): void {
    const { id } = broadcast;
    this.#missing.delete(id);
    if (!this.#history.add(id)) {
      // A repair that was faster says nothing about the link.
      if (this.#cache.confirm(id)) return;
      this.#trees.prune(id.root, from);
      turn.send(from, { kind: "prune", roots: [id.root] });
      return;
    }
    turn.deliver(broadcast, now, false);
    this.#keep(broadcast, false, now);
    this.#spread(broadcast, from, now, turn);
  }

  /** Takes a broadcast that came outside the tree. The tree may be whole, so that it is only announced, to all. */
  #receiveRepair(from: string, broadcast: Broadcast<T>, now: number, turn: PlumtreeTurn<T>): void {
    if (!this.#history.add(broadcast.id)) return;
    turn.deliver(broadcast, now, true);
    this.#keep(broadcast, true, now);
    for (const name of this.#trees.neighbours) {
      if (name !== from) this.#announcements.add(name, broadcast.id, broadcast.bornAt);
    }
  }

  #receiveSummary(from: string, packed: readonly BroadcastRanges[], isAnswer: boolean, turn: PlumtreeTurn<T>): void {
    const wanted = [...unpackIds(packed)].filter((id) => !this.#history.has(id));
    if (wanted.length > 0) turn.send(from, { kind: "request", ids: packIds(wanted) });
    if (isAnswer) return;
    const known = new Set(Array.from(unpackIds(packed), broadcastKey));
    const extra = this.#cache.ids().filter((id) => !known.has(broadcastKey(id)));
    if (extra.length > 0) turn.send(from, { kind: "summary", ids: packIds(extra), isAnswer: true });
  }

  /** Whether the tree has brought a broadcast. A repair only hides that it has not. */
  #hasFromTree(id: BroadcastId): boolean {
    return this.#history.has(id) && !this.#cache.get(id)?.isRepaired;
  }

  /** Makes links to `announcer` in the trees that did not bring `ids`, and asks for those that have not come otherwise. */
  #graft(announcer: string, ids: readonly BroadcastId[], turn: PlumtreeTurn<T>): void {
    const packed = packIds(ids).map(({ root, incarnation, ranges }) => {
      this.#trees.graft(root, announcer);
      const unseen = [...fromRanges(ranges)].filter((sequence) => !this.#history.has({ root, incarnation, sequence }));
      return { root, incarnation, ranges: toRanges(unseen) };
    });
    for (const id of ids) {
      this.#cache.confirm(id);
      if (this.#history.has(id)) this.#missing.delete(id);
    }
    turn.send(announcer, { kind: "graft", ids: packed });
  }

  /** Pushes a broadcast along the tree of its root, to which the link that it came by belongs, and announces it elsewhere. */
  #spread(broadcast: Broadcast<T>, from: string | undefined, now: number, turn: PlumtreeTurn<T>): void {
    const { root } = broadcast.id;
    this.#trees.touch(root);
    if (from !== undefined) this.#trees.feed(root, from);
    for (const name of this.#trees.eager(root)) {
      if (name !== from) turn.send(name, payloadMessage("gossip", broadcast, now));
    }
    for (const name of this.#trees.lazy(root)) this.#announcements.add(name, broadcast.id, broadcast.bornAt);
  }

  #answer(
    to: string,
    ids: readonly BroadcastRanges[],
    kind: "gossip" | "repair",
    now: number,
    turn: PlumtreeTurn<T>,
  ): void {
    let room = ANSWER_BYTES_MAX;
    for (const id of unpackIds(ids)) {
      const broadcast = this.#cache.get(id);
      if (broadcast === undefined) continue;
      turn.send(to, payloadMessage(kind, broadcast, now));
      room -= broadcast.bytes;
      if (room <= 0) return;
    }
  }

  #keep({ id, payload, bornAt }: Broadcast<T>, isRepaired: boolean, now: number): void {
    this.#cache.add({ id, payload, bornAt, isRepaired, bytes: this.#options.sizeOf(payload) }, now);
    if (this.#exchangeAt === Infinity && this.#cache.size > 0) this.#exchangeAt = now + this.#exchangeWait();
  }

  /** Anti-entropy with one neighbour, as long as there is something to compare. */
  #exchange(now: number, turn: PlumtreeTurn<T>): void {
    const neighbours = [...this.#trees.neighbours];
    const partner = neighbours[Math.floor(this.#options.random() * neighbours.length)];
    if (partner !== undefined) this.#sendSummary(partner, turn);
    this.#exchangeAt = this.#cache.size > 0 ? now + this.#exchangeWait() : Infinity;
  }

  #exchangeWait(): number {
    return this.#options.exchangeInterval * (0.5 + this.#options.random());
  }

  #sendSummary(to: string, turn: PlumtreeTurn<T>): void {
    if (this.#cache.size > 0) turn.send(to, { kind: "summary", ids: packIds(this.#cache.ids()), isAnswer: false });
  }
}
