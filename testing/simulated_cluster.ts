// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { startPeerService } from "../manager/start_peer_service.ts";
import { checkOptions } from "../runtime/options.ts";
import { isReset } from "../transport/memory/network_options.ts";
import type { CutConnects } from "../transport/memory/memory_links.ts";
import { DisagreementFinder } from "./disagreement.ts";
import { explained } from "./late_handlers.ts";
import { MemoryStore } from "./memory_store.ts";
import {
  CLUSTER_KINDS,
  type SimulatedClusterOptions,
  type SimulatedNodeOptions,
  START_NODE_KINDS,
  type StartNodeOptions,
} from "./simulated_cluster_options.ts";
import { SimulatedWorld } from "./simulated_world.ts";

/** Port at which a node listens, on a host of its own. */
const PORT = 9_090;

/** Milliseconds of virtual time in which a healthy cluster must have settled. */
const SETTLE_LIMIT = 60_000;

/**
 * A cluster in one process, to test applications with: complete peer services, connected by a network in memory, in
 * virtual time. It needs no permissions, an hour of it passes in a moment, and the same seed gives the same history, so that a test which
 * fails once fails each time.
 *
 * Time stands still until {@linkcode advance}, {@linkcode runUntil}, {@linkcode wait} or {@linkcode settled} moves it. So never await what takes
 * time by itself: hand it to {@linkcode wait}. Timers of the system and `AbortSignal.timeout()` know nothing of virtual time.
 *
 * @example A cluster that is cut in two, and heals
 * ```ts
 * import { SimulatedCluster } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c", "d"] });
 * cluster.cut(["a", "b"]);
 * await cluster.advance(10_000);
 * assertEquals(cluster.node("a").connected(), ["b"]);
 * assertEquals(cluster.node("a").members(), ["a", "b", "c", "d"]);
 *
 * cluster.heal();
 * await cluster.settled();
 * assertEquals(cluster.node("a").connected(), ["b", "c", "d"]);
 * ```
 *
 * @example Everything that can befall a node
 * ```ts
 * import { SimulatedCluster } from "@partisan/peer-service/testing";
 * import { assert, assertEquals, assertFalse } from "@std/assert";
 *
 * await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], disks: true });
 * cluster.setSkew("a", 60_000);
 * cluster.pause("b");
 * cluster.crash("c");
 * cluster.disk("c").bytes = null;
 * await cluster.advance(10_000);
 * assertFalse(cluster.has("c"));
 * assertEquals(cluster.node("a").connected(), []);
 *
 * cluster.resume("b");
 * await cluster.wait(cluster.stopNode("b"));
 * for (const name of ["b", "c"]) await cluster.startNode(name);
 * cluster.cutOneWay("a", "b");
 * cluster.clog("c", "a", 1_000);
 * cluster.narrow("b", "a", 1_400);
 * cluster.forget("a", "b", 1);
 * cluster.slowReader("a", 10_000);
 * cluster.reset("b", "c");
 * cluster.heal();
 * assert(await cluster.runUntil(() => cluster.disagreement() === undefined));
 * ```
 */
export class SimulatedCluster implements AsyncDisposable {
  /** Time, chance and the network. */
  readonly world: SimulatedWorld;
  readonly #options: SimulatedClusterOptions;
  readonly #running = new Map<string, PeerServiceManager>();
  readonly #starting = new Map<string, Promise<PeerServiceManager>>();
  readonly #disks = new Map<string, MemoryStore>();
  readonly #disagreement: DisagreementFinder;
  /** All nodes that there ever were. */
  readonly #known = new Set<string>();

  /**
   * Begins without nodes: {@linkcode startNode} starts them one by one.
   *
   * @throws {TypeError | RangeError} When an option can be none.
   */
  constructor(options: SimulatedClusterOptions = {}) {
    this.#options = checkOptions("Cannot make a cluster", options, CLUSTER_KINDS);
    const { seed, latency, resolution, retransmission, windowBytes, trace } = this.#options;
    this.world = new SimulatedWorld({ seed, latency, resolution, retransmission, windowBytes, trace });
    this.#disagreement = new DisagreementFinder((from, to) =>
      this.world.isPaused(from)
        ? `"${from}" is paused`
        : this.world.network.isCut(from, to)
        ? `nothing passes from "${from}" to "${to}", which is cut`
        : undefined
    );
  }

  /** Starts all nodes, joins them, and waits until the cluster has settled. */
  static async start(options: SimulatedClusterOptions = {}): Promise<SimulatedCluster> {
    const cluster = new SimulatedCluster(options);
    for (const name of nodeNames(cluster.#options.nodes ?? 3)) await cluster.startNode(name);
    await cluster.settled();
    return cluster;
  }

  /** Names of the nodes that run, paused ones included, in the order in which they started. */
  get names(): string[] {
    return [...this.#running.keys()];
  }

  /** The nodes that run, paused ones included, in the order in which they started. */
  get nodes(): PeerServiceManager[] {
    return [...this.#running.values()];
  }

  /** Milliseconds of virtual time since the beginning. */
  get now(): number {
    return this.world.now;
  }

  /** Whether a node of that name runs. */
  has(name: string): boolean {
    return this.#running.has(name);
  }

  /**
   * A node that runs.
   *
   * @throws {Error} When there is none of that name.
   */
  node(name: string): PeerServiceManager {
    const node = this.#running.get(name);
    if (node === undefined) throw new Error(`Cannot use node "${name}": it is not running`);
    return node;
  }

  /**
   * The disk of a node, with all that it has kept in its incarnations. To crash a node and take its disk away, follow {@linkcode crash} with
   * `cluster.disk(name).bytes = null`; to make a disk fail, set its `fault`.
   *
   * @throws {TypeError} When the cluster was made without disks.
   */
  disk(name: string): MemoryStore {
    if (this.#options.disks !== true) throw new TypeError(`Cannot use the disk of "${name}": there are no disks`);
    let disk = this.#disks.get(name);
    if (disk === undefined) this.#disks.set(name, disk = new MemoryStore());
    return disk;
  }

  /** Whether the nodes have disks. */
  get hasDisks(): boolean {
    return this.#options.disks === true;
  }

  /**
   * Starts a node, for the first time or again after it crashed or stopped, and lets it join. That goes on while time passes: see
   * {@linkcode settled}. A start that is under way is waited for.
   *
   * @throws {TypeError} When it is running, or an option can be none.
   */
  async startNode(name: string, options: StartNodeOptions = {}): Promise<PeerServiceManager> {
    const { join } = checkOptions(`Cannot start node "${name}"`, options, START_NODE_KINDS);
    if (this.has(name)) throw new TypeError(`Cannot start node "${name}": it is running`);
    const starting = this.#starting.get(name) ?? this.#start(name, join);
    this.#starting.set(name, starting);
    return await starting.finally(() => this.#starting.delete(name));
  }

  /**
   * Stops a node in good order, as when its process is told to end. It stays a member. Its queued messages leave while time passes: hand the
   * promise to {@linkcode wait}.
   *
   * @throws {Error} When it is not running.
   */
  stopNode(name: string): Promise<void> {
    const node = this.node(name);
    this.#forget(node);
    return node.stop();
  }

  /**
   * Ends a node at once, as when its machine loses power: no other node hears of it. With `reset: true` only its process dies, and the machine tells
   * its peers.
   *
   * @throws {Error} When it is not running.
   */
  crash(name: string, options: { readonly reset?: boolean } = {}): void {
    const reset = isReset(name, options);
    this.#forget(this.node(name));
    this.world.crash(name, { reset });
  }

  /** Stops a node as SIGSTOP does: its machine takes what is sent to it, but nothing runs there until it resumes. */
  pause(name: string): void {
    this.world.pause(name);
  }

  /** Lets a paused node go on. */
  resume(name: string): void {
    this.world.resume(name);
  }

  /** Sets the wall clock of a node, in this incarnation and later ones, `ms` milliseconds ahead of the others'. */
  setSkew(name: string, ms: number): void {
    this.world.setSkew(name, ms);
  }

  /**
   * Lets nothing pass between these nodes and those, both ways; without `to`, between these and all others. Connections stay open and stall,
   * and go on after the cut has healed, when TCP tries again.
   *
   * @throws {Error} When there never was a node of one of the names.
   */
  cut(from: string | readonly string[], to?: string | readonly string[], options?: { connects?: CutConnects }): void {
    this.#checkKnown("cut", from, to ?? []);
    this.world.network.cut(from, to ?? this.#othersThan(from), options);
  }

  /** Lets nothing pass from these nodes to those; the other direction stays open. */
  cutOneWay(
    from: string | readonly string[],
    to: string | readonly string[],
    options?: { connects?: CutConnects },
  ): void {
    this.#checkKnown("cut one way", from, to);
    this.world.network.cutOneWay(from, to, options);
  }

  /** Lets no more than so many bytes a second pass from these nodes to those. */
  clog(from: string | readonly string[], to: string | readonly string[], bytesPerSecond: number): void {
    this.#checkKnown("clog", from, to);
    this.world.network.clog(from, to, bytesPerSecond);
  }

  /** Loses packets of more than so many bytes on their way from these nodes to those, as a path does that is narrower than it says. */
  narrow(from: string | readonly string[], to: string | readonly string[], bytes: number): void {
    this.#checkKnown("narrow the way", from, to);
    this.world.network.narrow(from, to, bytes);
  }

  /**
   * Forgets connections between two nodes, as a router that translates addresses does: they look open, and carry nothing any more.
   *
   * @param index Index among them, in the order in which they were opened; all without it.
   */
  forget(from: string, to: string, index?: number): void {
    this.#checkKnown("forget", from, to);
    this.world.network.forget(from, to, index);
  }

  /** Lets a node read no more than so many bytes a second from each of its connections; `Infinity` ends that. */
  slowReader(name: string, bytesPerSecond: number): void {
    this.#checkKnown("slow down the reader", name);
    this.world.network.slowReader(name, bytesPerSecond);
  }

  /** Ends all cuts and clogs, and widens narrow ways. */
  heal(): void {
    this.world.network.heal();
  }

  /** Breaks the connections that are open between these nodes and those; both sides notice. */
  reset(from: string | readonly string[], to: string | readonly string[]): void {
    this.#checkKnown("reset", from, to);
    this.world.network.reset(from, to);
  }

  /** Lets `ms` milliseconds pass. */
  async advance(ms: number): Promise<void> {
    await this.world.advance(ms);
  }

  /**
   * Lets time pass until `condition` holds, for `limit` milliseconds at most.
   *
   * @returns Whether it holds.
   */
  async runUntil(condition: () => boolean, limit: number = SETTLE_LIMIT): Promise<boolean> {
    return await this.world.runUntil(condition, limit);
  }

  /**
   * Lets time pass until `promise` is settled, and settles like it. Where it takes too long while handlers have not finished, the error says
   * which nodes they are at: timers of the system do not pass in virtual time.
   *
   * @throws {Error} When it is still pending after `limit` milliseconds.
   */
  async wait<T>(promise: Promise<T>, limit: number = SETTLE_LIMIT): Promise<T> {
    try {
      return await this.world.wait(promise, limit);
    } catch (error) {
      throw explained(error, this.nodes);
    }
  }

  /**
   * Lets time pass until all nodes that run know each other as members, agree on who else is one, and are fully connected with each
   * other, with no cut between any two of them and none of them paused: what they have not noticed yet is no agreement. Where the strategy keeps
   * no full mesh: until there is a way from each node to each other one, along connections that both ends see. Wait for what a cut leads to with {@linkcode runUntil} or {@linkcode advance}.
   *
   * @returns Milliseconds that it took.
   * @throws {Error} When that is not so after `limit` milliseconds; the message says who is at odds.
   */
  async settled(limit: number = SETTLE_LIMIT): Promise<number> {
    const start = this.now;
    if (await this.runUntil(() => this.disagreement() === undefined, limit)) return this.now - start;
    throw new Error(`Cannot wait any longer: after ${limit} ms ${this.disagreement()}`);
  }

  /** Reason for which the cluster is not settled, in half a sentence; `undefined` when it is. */
  disagreement(): string | undefined {
    return this.#disagreement.find(this.nodes);
  }

  /** Ends all nodes at once. */
  [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.names) this.crash(name);
    return Promise.resolve();
  }

  async #start(name: string, join: StartNodeOptions["join"]): Promise<PeerServiceManager> {
    const { disks, options = {}, setup } = this.#options;
    const runtime = this.world.node(name);
    const given: SimulatedNodeOptions = typeof options === "function" ? options(name) : options;
    const store = disks === true ? this.disk(name) : undefined;
    const own: SimulatedNodeOptions = { listen: { hostname: name, port: PORT }, store };
    const node = await startPeerService({ ...own, ...given, name, runtime });
    this.#known.add(name);
    const contact = join ?? this.names[0] ?? false;
    this.#running.set(name, node);
    node.addEventListener("removed", () => this.#forget(node));
    await setup?.(node, runtime);
    if (contact !== false) await node.join(this.node(contact).spec);
    return node;
  }

  /** @throws {Error} When there never was a node of one of the names: a fault there would do nothing. */
  #checkKnown(action: string, ...places: (string | readonly string[])[]): void {
    const unknown = places.flat().find((name) => !this.#known.has(name));
    if (unknown === undefined) return;
    const known = [...this.#known].map((name) => `"${name}"`).join(", ");
    throw new Error(`Cannot ${action}: there never was a node "${unknown}", expected some of ${known || "none yet"}`);
  }

  #othersThan(some: string | readonly string[]): string[] {
    const excluded = new Set(typeof some === "string" ? [some] : some);
    return this.names.filter((name) => !excluded.has(name));
  }

  #forget(node: PeerServiceManager): void {
    if (this.#running.get(node.name) === node) this.#running.delete(node.name);
  }
}

function nodeNames(nodes: number | readonly string[]): readonly string[] {
  return typeof nodes === "number" ? Array.from({ length: nodes }, (_, index) => `n${index + 1}`) : nodes;
}
