// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../../manager/peer_service_manager.ts";
import { CallError } from "../../messaging/errors.ts";
import type { SnapshotStore } from "../../membership/snapshot_store.ts";
import type { Timer } from "../../runtime/runtime.ts";
import { sleep } from "../../runtime/sleep.ts";
import { checkInteger } from "../../wire/node_spec_check.ts";
import { type GroupMembership, Groups } from "../groups.ts";
import { hasLooked } from "../has_looked.ts";
import { keepsFullMesh } from "../keeps_full_mesh.ts";
import { HybridClock } from "../hybrid_clock.ts";
import { sharedBy } from "../shared.ts";
import { MapKeeper } from "./map_keeper.ts";
import type { MapLimits } from "./map_limits.ts";
import {
  deltaFromValue,
  deltaOf,
  deltaToValue,
  type MapDelta,
  type MapOperation,
  summaryFromValue,
  summaryToValue,
} from "./map_message.ts";
import { type KeyChange, MapReplica } from "./map_replica.ts";

/** The numbers are part of the wire protocol: never reuse one. */
const DIGEST = 0;
const DELTA = 1;

/** A deletion is remembered for so long, in milliseconds, in case an earlier write is heard of only later. */
const DELETION_MS = 600_000;
/** At most so many deletions are. */
const DELETIONS_MAX = 1_000;
/** Over a partial view, one round in so many is with any node that has the map; the others are with one that is connected. */
const FAR_ROUNDS = 10;
/** Factor by which writes of other nodes at the same time may exceed the limits. */
const EXCESS_MAX = 2;

/** Options of {@linkcode MapSync}. */
export interface MapSyncOptions extends MapLimits {
  readonly store: SnapshotStore | undefined;
}

/** Keeps the replica of one map over one node in step with those of all other nodes. */
export class MapSync {
  readonly replica: MapReplica;
  readonly limits: MapLimits;
  readonly #node: PeerServiceManager;
  readonly #name: string;
  readonly #handler: string;
  readonly #clock: HybridClock;
  readonly #groups: Groups;
  readonly #membership: GroupMembership;
  readonly #keeper: MapKeeper | null;
  readonly #listeners = new Set<(change: KeyChange) => void>();
  /** Connected nodes whose replica this one has compared itself with since they came up. */
  readonly #met = new Set<string>();
  readonly #toMeet = new Set<string>();
  /** Nodes that are being compared with in a round. */
  readonly #asked = new Set<string>();
  /** Nodes that were warned of. */
  readonly #warned = new Set<string>();
  readonly #isFullMesh: boolean;
  #meeting: Promise<void> | null = null;
  #rounds = 0;
  #written: MapOperation[] = [];
  #timer: Timer | null = null;

  private constructor(node: PeerServiceManager, name: string, options: MapSyncOptions) {
    const { clock, random } = node.runtime;
    this.#node = node;
    this.#name = name;
    this.limits = options;
    const chance = () => Math.floor(random.next() * 2 ** 48).toString(36);
    this.replica = new MapReplica(() => `${node.spec.incarnation} ${chance()} ${node.name}`);
    this.#clock = new HybridClock(() => clock.wallTime());
    this.#handler = `maps/${name}`;
    node.register(this.#handler, (message: unknown, { from }) => this.#answer(message, from));
    this.#isFullMesh = keepsFullMesh(node);
    this.#groups = new Groups(node, { scope: "maps" });
    const handler = (message: unknown, { from }: { from: string }) => this.#merge(deltaFromValue(message), from);
    this.#membership = this.#groups.join(name, { handler });
    const { store } = options;
    this.#keeper = store === undefined ? null : new MapKeeper(node, name, store, () => this.#everything());
    this.#keeper?.load((delta) => this.#restore(delta));
    node.onUp("*", (peer) => this.#peerUp(peer));
    node.onDown("*", (peer) => {
      this.#met.delete(peer);
      this.#toMeet.delete(peer);
    });
    for (const peer of node.connected()) this.#peerUp(peer);
    node.stopSignal.addEventListener("abort", () => this.#timer?.cancel(), { once: true });
    if (!node.stopSignal.aborted) this.#schedule();
  }

  /** That of a map over a node; the options are those of the first that asks. */
  static of(node: PeerServiceManager, name: string, options: MapSyncOptions): MapSync {
    return sharedBy(node, `maps/${name}`, () => new MapSync(node, name, options));
  }

  /** Writes a value, or deletes. @throws {RangeError} When the map would be too large. */
  write(key: string, value: Uint8Array | null): void {
    const { operation, change } = this.replica.write(key, value, this.#clock.next(), this.#node.runtime.clock.now());
    if (this.#written.length === 0) this.#node.runtime.defer(() => this.#publish());
    this.#written.push(operation);
    this.#tell([change]);
  }

  /** Has a listener told of every change of a key. */
  listen(listener: (change: KeyChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Resolves once this replica has all that the nodes have that are up now. */
  async ready(): Promise<void> {
    const { clock } = this.#node.runtime;
    await this.#keeper?.loaded;
    while (!hasLooked(this.#node)) await sleep(clock, this.#node.heartbeat.interval, this.#node.stopSignal);
    for (const peer of [...this.#node.connected(), ...this.#others()]) if (!this.#met.has(peer)) this.#toMeet.add(peer);
    while (this.#toMeet.size > 0) await this.#meetAll();
    this.#node.stopSignal.throwIfAborted();
  }

  /** Resolves once everything so far is in the store, if there is one. */
  async flush(): Promise<void> {
    await this.#keeper?.flush();
  }

  /** Of two nodes that meet, the one that started later asks the other: the newcomer knows least, and asks one after the other. */
  #peerUp(peer: string): void {
    const { name, incarnation } = this.#node.spec;
    const theirs = this.#node.memberInfo(peer)?.spec.incarnation ?? 0;
    if (incarnation < theirs || (incarnation === theirs && name < peer)) return;
    this.#toMeet.add(peer);
    this.#meetAll();
  }

  /** Meets all nodes that are to be met, one at a time. */
  #meetAll(): Promise<void> {
    this.#meeting ??= this.#meet().finally(() => this.#meeting = null);
    return this.#meeting;
  }

  async #meet(): Promise<void> {
    for (let [peer] = this.#toMeet; peer !== undefined && !this.#node.stopSignal.aborted; [peer] = this.#toMeet) {
      this.#toMeet.delete(peer);
      if (await this.#compareWith(peer)) continue;
      // It had no time: it is asked again.
      await sleep(this.#node.runtime.clock, this.#node.heartbeat.interval, this.#node.stopSignal).catch(() => {});
      if (this.#isThere(peer)) this.#toMeet.add(peer);
    }
    if (this.#node.stopSignal.aborted) this.#toMeet.clear();
  }

  /** Compares with another node's replica, and brings both up to date. @returns Whether there is nothing more to be had of it. */
  async #compareWith(peer: string): Promise<boolean> {
    const { high, low } = this.replica.digest;
    const signal = this.#node.stopSignal;
    try {
      const summary = await this.#ask(peer, [DIGEST, high, low]);
      if (summary !== null) {
        const theirs = summaryFromValue(summary);
        this.#tell(this.replica.heed(theirs, this.#node.runtime.clock.now()));
        const delta = deltaToValue(this.replica.deltaFor(theirs));
        const answer = await this.#ask(peer, [DELTA, delta]);
        this.#merge(deltaFromValue(answer), peer);
      }
      this.#note(peer);
      return true;
    } catch (error) {
      if (signal.aborted || !this.#isThere(peer)) return true;
      return error instanceof CallError && error.remote.name === "NoHandlerError";
    }
  }

  /** Asks another node. Others pass that on where it has no connection with this one: its end is not told then. */
  #ask(peer: string, question: readonly unknown[]): Promise<unknown> {
    const { heartbeat: { interval, missed }, stopSignal: signal } = this.#node;
    const isPassedOn = !this.#isFullMesh && !this.#node.isConnected(peer);
    const options = isPassedOn ? { signal, transitive: true, timeout: interval * missed } : { signal };
    return this.#node.call(peer, this.#handler, question, options);
  }

  /** Takes note that this replica and another node's are in step. The end of a node without a connection would not be told. */
  #note(peer: string): void {
    if (this.#node.isConnected(peer)) this.#met.add(peer);
  }

  #isThere(peer: string): boolean {
    return this.#node.isConnected(peer) || (!this.#isFullMesh && this.#others().includes(peer));
  }

  /** Names of the other nodes that have the map, each once for each of its members. */
  #others(): string[] {
    return this.#groups.members(this.#name).map(({ node }) => node).filter((node) => node !== this.#node.name);
  }

  /** Another node to compare with in this round, if there is one. */
  #choose(): string | undefined {
    const others = this.#others();
    const near = others.filter((name) => this.#node.isConnected(name));
    const isFar = near.length === 0 || ++this.#rounds % FAR_ROUNDS === 0;
    const candidates = isFar ? others : near;
    return candidates[Math.floor(this.#node.runtime.random.next() * candidates.length)];
  }

  #answer(value: unknown, from: string): unknown {
    const [kind, first, second] = Array.isArray(value) ? value : [];
    if (kind === DIGEST) {
      const { high, low } = this.replica.digest;
      checkInteger(first, "digest", 0, 2 ** 32 - 1);
      if (first !== high || second !== low) return summaryToValue(this.replica.summary());
      this.#note(from);
      return null;
    }
    if (kind !== DELTA) throw new TypeError("Cannot read a message about a map: it is of an unknown kind");
    const delta = deltaFromValue(first);
    this.#merge(delta, from);
    this.#note(from);
    return deltaToValue(this.replica.answerTo(delta.contexts));
  }

  #publish(): void {
    const operations = this.#written;
    this.#written = [];
    if (this.#node.stopSignal.aborted) return;
    try {
      this.#groups.publish(this.#name, deltaToValue(deltaOf(operations)), { except: this.#membership });
    } catch (error) {
      const detail = { error, during: `telling others what was written to the map "${this.#name}"` };
      this.#node.dispatchEvent(new CustomEvent("error", { detail }));
    }
  }

  /** @throws {RangeError} When what is stored is too large. */
  #restore(delta: MapDelta): void {
    if (!this.#hasRoomFor(delta)) {
      throw new RangeError(`Cannot take the map "${this.#name}" from its store: it is too large for "maxBytes"`);
    }
    this.#merge(delta, this.#node.name);
  }

  #hasRoomFor(delta: MapDelta): boolean {
    return this.replica.hasRoomFor(delta, EXCESS_MAX * this.limits.maxBytes);
  }

  #merge(delta: MapDelta, from: string): void {
    if (!this.#hasRoomFor(delta)) {
      return this.#warn(
        from,
        "map-full",
        `The map "${this.#name}" cannot take what "${from}" has: it would be too large`,
      );
    }
    const ahead = delta.operations.filter(({ stamp }) => !this.#clock.follow(stamp));
    if (ahead.length > 0 && from !== this.#node.name) {
      const message =
        `The map "${this.#name}" was given writes by "${from}" of a clock that is far ahead: set the clock`;
      this.#warn(from, "clock-ahead", message);
    }
    this.#tell(this.replica.merge(delta, this.#node.runtime.clock.now()));
  }

  #tell(changes: readonly KeyChange[]): void {
    if (changes.length > 0) this.#keeper?.changed();
    for (const change of changes) {
      for (const listener of [...this.#listeners]) listener(change);
    }
  }

  #warn(node: string, code: string, message: string): void {
    if (this.#warned.has(`${code} ${node}`)) return;
    this.#warned.add(`${code} ${node}`);
    this.#node.dispatchEvent(new CustomEvent("warning", { detail: { code, message, node } }));
  }

  #everything(): MapDelta {
    return this.replica.answerTo(new Map());
  }

  /** In every round one other replica is compared with, and old deletions are forgotten. */
  #schedule(): void {
    const { runtime: { clock }, heartbeat: { interval } } = this.#node;
    this.#timer = clock.schedule(interval, () => {
      this.#schedule();
      this.replica.purge(clock.now() - DELETION_MS, DELETIONS_MAX);
      const peer = this.#choose();
      // One that does not answer is not asked again before it goes down.
      if (peer !== undefined && !this.#asked.has(peer)) {
        this.#asked.add(peer);
        this.#compareWith(peer).finally(() => this.#asked.delete(peer));
      }
      this.#keeper?.retry();
    });
  }
}
