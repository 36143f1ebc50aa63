// Copyright 2026 the Partisan peer-service authors. MIT license.

import { memberSince, type NodeSpec } from "../wire/node_spec.ts";
import type { Outgoing, Strategy, StrategyContext, Transition } from "../strategy/strategy.ts";
import { checkOptions } from "../runtime/options.ts";
import { difference } from "../runtime/list_difference.ts";
import { type Endpoint, OverlayNetwork } from "./overlay_network.ts";
import { SeededRandom } from "./seeded_random.ts";
import { StrategySimulatorNode } from "./strategy_simulator_node.ts";
import {
  SIMULATOR_KINDS,
  START_KINDS,
  type StartOptions,
  type StrategySimulatorOptions,
} from "./strategy_simulator_options.ts";
import { VirtualClock } from "./virtual_clock.ts";

const CHANNEL = { parallelism: 1, monotonic: false, compression: false };

/**
 * Many nodes of which only the strategy is real: a fast way to see what an overlay does. Connections, latency and
 * failures are simulated in virtual time, and the same seed gives the same run. For complete peer services
 * there is a simulated cluster; this holds 10,000 nodes.
 *
 * @typeParam State What the strategy remembers.
 *
 * @example Half of a full mesh is killed, the others stay connected
 * ```ts
 * import { fullMesh } from "@partisan/peer-service/strategy";
 * import { StrategySimulator } from "@partisan/peer-service/testing";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const cluster = new StrategySimulator(fullMesh(), { seed: 7 });
 * for (const name of ["a", "b", "c", "d"]) cluster.start(name, { join: name === "a" ? undefined : "a" });
 * cluster.run(10_000);
 * cluster.kill("c");
 * cluster.kill("d");
 * cluster.run(10_000);
 *
 * assert(cluster.isConnected());
 * assertEquals(cluster.members("a"), ["a", "b", "c", "d"]); // who crashed may come back
 * cluster.start("e");
 * cluster.join("e", "b");
 * cluster.run(10_000);
 * cluster.partition([["a"]]);
 * cluster.leave("d", "b");
 * cluster.run(10_000);
 * assertEquals(cluster.neighbours("a"), []);
 * cluster.heal();
 * cluster.run(10_000);
 * assertEquals(cluster.memberSpecs("a"), ["a", "b", "c", "e"].map((name) => cluster.spec(name)));
 * assertEquals(cluster.state("a").set.members, cluster.memberSpecs("a"));
 * cluster.prune("a", ["c"]);
 * assertEquals(cluster.peers("a"), cluster.peerSpecs("a").map(({ name }) => name));
 * ```
 */
export class StrategySimulator<State = unknown> {
  readonly #strategy: Strategy<State>;
  readonly #options: StrategySimulatorOptions;
  readonly #clock = new VirtualClock(0);
  readonly #random: SeededRandom;
  readonly #network: OverlayNetwork;
  readonly #nodes = new Map<string, StrategySimulatorNode<State>>();

  /**
   * A cluster without nodes. All of them will share `strategy`, which has no state of its own.
   *
   * @throws {TypeError | RangeError} When an option can be none.
   */
  constructor(strategy: Strategy<State>, options: StrategySimulatorOptions = {}) {
    this.#strategy = strategy;
    this.#options = checkOptions("Cannot simulate a strategy", options, SIMULATOR_KINDS);
    const { seed = 0, interval = 1, latency = [1, 50], notice = 100, tellUnreachable = false } = this.#options;
    if (!(interval > 0)) throw new RangeError(`Cannot simulate a strategy: interval is ${interval}, expected above 0`);
    this.#random = new SeededRandom(seed);
    this.#network = new OverlayNetwork(this.#clock, this.#random.fork("network"), {
      latency,
      notice,
      redial: this.#interval,
      tellUnreachable,
    });
  }

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#clock.now();
  }

  /** The nodes that run, in the order of their names. */
  get alive(): string[] {
    return [...this.#nodes.values()].filter((node) => node.isAlive).map(({ spec }) => spec.name).sort();
  }

  /** Number of messages sent so far. */
  get messages(): number {
    return this.#network.messages;
  }

  /** Number of dials so far, successful or not. */
  get dials(): number {
    return this.#network.dials;
  }

  /**
   * Starts a node, for the first time or, with a new incarnation and another address, again.
   *
   * @throws {TypeError} When it is running, or an option can be none.
   */
  start(name: string, options: StartOptions = {}): void {
    const { join, remember = false, keepAddress = false } = checkOptions(
      `Cannot start "${name}"`,
      options,
      START_KINDS,
    );
    const former = this.#nodes.get(name);
    if (former?.isAlive) throw new TypeError(`Cannot start "${name}": it is running`);
    const snapshot = former !== undefined && remember ? this.#strategy.snapshot(former.state) : undefined;
    const incarnation = (former?.spec.incarnation ?? 0) + 1;
    const spec: NodeSpec = {
      name,
      incarnation,
      ...(former !== undefined && remember && { since: memberSince(former.spec) }),
      addresses: keepAddress && former ? former.spec.addresses : [{ hostname: `${name}.test`, port: incarnation }],
      channels: { default: CHANNEL, membership: CHANNEL },
      metadata: this.#options.metadata?.(name) ?? {},
    };
    const random = this.#random.fork(`${name}/${incarnation}`);
    const { state, outgoing } = this.#strategy.init(spec, this.#context(new Set(), random), snapshot);
    const node = new StrategySimulatorNode(spec, state, random, former?.group ?? 0);
    this.#nodes.set(name, node);
    this.#network.attach(this.#endpoint(node));
    this.#send(node, outgoing);
    this.#dialWanted(node);
    this.#clock.schedule(this.#interval * random.next(), () => this.#periodic(node));
    if (join !== undefined) this.join(name, join);
  }

  /** Lets a node join the cluster of another one, as soon as it reaches it. */
  join(name: string, contact: string): void {
    const node = this.#running(name);
    const peer = this.#node(contact).spec;
    let isDone = false;
    this.#network.dial(name, peer, () => {
      isDone = true;
      this.#step(node, (state, context) => this.#strategy.join(state, this.#node(contact).spec, context));
    });
    this.#clock.schedule(2 * this.#interval, () => {
      if (!isDone && node.isAlive) this.join(name, contact);
    });
  }

  /** Removes a node from the cluster for good, at the request of itself or of another one. */
  leave(name: string, by: string = name): void {
    this.#step(this.#running(by), (state, context) => this.#strategy.leave(state, this.#node(name).spec, context));
  }

  /**
   * Lets a node forget some others.
   *
   * @throws {TypeError} When the strategy has no `prune`.
   */
  prune(name: string, others: readonly string[]): void {
    const specs = others.map((other) => this.#node(other).spec);
    this.#step(this.#running(name), (state, context) => {
      const pruned = this.#strategy.prune?.(state, specs, context);
      if (pruned === undefined) {
        throw new TypeError(`Cannot prune: the strategy "${this.#strategy.name}" has no prune()`);
      }
      return pruned;
    });
  }

  /** Ends a node at once, without a word. */
  kill(name: string): void {
    this.#running(name).isAlive = false;
    this.#network.detach(name);
  }

  /** Cuts the network: nodes of different groups cannot reach each other. Those that are in no group form another one. */
  partition(groups: readonly (readonly string[])[]): void {
    for (const [name, node] of this.#nodes) node.group = groups.findIndex((group) => group.includes(name));
    this.#network.breakAcrossGroups();
  }

  /** Ends every partition. */
  heal(): void {
    for (const node of this.#nodes.values()) node.group = 0;
  }

  /** Lets `duration` milliseconds pass. */
  run(duration: number): void {
    const end = this.now + duration;
    while ((this.#clock.peek()?.time ?? Infinity) <= end) this.#clock.runNext();
    this.#clock.moveTo(end);
  }

  /** Specification of a node in its present, or last, incarnation. */
  spec(name: string): NodeSpec {
    return this.#node(name).spec;
  }

  /** State of the strategy of a node. */
  state(name: string): State {
    return this.#node(name).state;
  }

  /** The names of those that a node takes for members, sorted. */
  members(name: string): string[] {
    return this.memberSpecs(name).map((node) => node.name).sort();
  }

  /** Those that a node takes for members. */
  memberSpecs(name: string): readonly NodeSpec[] {
    return this.#strategy.members(this.state(name));
  }

  /** The names of those with which a node wants connections, sorted. */
  peers(name: string): string[] {
    return this.peerSpecs(name).map((node) => node.name).sort();
  }

  /** Those with which a node wants connections. */
  peerSpecs(name: string): readonly NodeSpec[] {
    return this.#strategy.peers(this.state(name));
  }

  /** The names of those with which a node has an open connection that either of them wants, sorted. */
  neighbours(name: string): string[] {
    const { wanted } = this.#node(name);
    return this.#network.linked(name).filter((other) => wanted.has(other) || this.#node(other).wanted.has(name)).sort();
  }

  /** Whether each running node reaches each other one along open connections. */
  isConnected(): boolean {
    const { alive } = this;
    const reached = new Set(alive.slice(0, 1));
    for (const name of reached) for (const other of this.neighbours(name)) reached.add(other);
    return reached.size === alive.length;
  }

  get #interval(): number {
    return this.#options.interval ?? 1_000;
  }

  #node(name: string): StrategySimulatorNode<State> {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new TypeError(`Cannot find node "${name}": it was never started`);
    return node;
  }

  #running(name: string): StrategySimulatorNode<State> {
    const node = this.#node(name);
    if (!node.isAlive) throw new TypeError(`Cannot use node "${name}": it is not running`);
    return node;
  }

  #context(connected: ReadonlySet<string>, random: SeededRandom): StrategyContext {
    return { now: this.now, random: () => random.next(), connected };
  }

  #endpoint(node: StrategySimulatorNode<State>): Endpoint {
    const strategy = this.#strategy;
    return {
      get spec() {
        return node.spec;
      },
      get group() {
        return node.group;
      },
      wants: (name) => node.wanted.has(name),
      up: (peer) => this.#step(node, (state, context) => strategy.up(state, peer, context)),
      down: (peer) => this.#step(node, (state, context) => strategy.down(state, peer, context)),
      receive: (from, message) =>
        this.#step(node, (state, context) => strategy.handleMessage(state, from, message, context)),
    };
  }

  #periodic(node: StrategySimulatorNode<State>): void {
    if (!node.isAlive) return;
    this.#step(node, (state, context) => this.#strategy.periodic(state, context));
    this.#clock.schedule(this.#interval, () => this.#periodic(node));
    const { name } = node.spec;
    const isMember = this.memberSpecs(name).some((member) => member.name === name);
    // A removed node stops, but not before its last words were heard.
    if (!isMember && !node.wasMember) this.kill(name);
    node.wasMember = isMember;
  }

  #step(
    node: StrategySimulatorNode<State>,
    event: (state: State, context: StrategyContext) => Transition<State>,
  ): void {
    if (!node.isAlive) return;
    const connected = this.#network.connected(node.spec.name);
    this.#apply(node, event(node.state, this.#context(connected, node.random)));
  }

  #apply(node: StrategySimulatorNode<State>, { state, outgoing }: Transition<State>): void {
    this.#send(node, outgoing);
    // Most events change nothing, and peers are many in a full mesh.
    if (state === node.state) return;
    node.state = state;
    this.#dialWanted(node);
  }

  #send({ spec }: StrategySimulatorNode<State>, outgoing: readonly Outgoing[]): void {
    for (const { to, message } of outgoing) {
      this.#options.onMessage?.(message);
      this.#network.send(spec.name, to, message);
    }
  }

  /** Keeps connections with those that the strategy wants, and gives up the others. */
  #dialWanted(node: StrategySimulatorNode<State>): void {
    const { spec, wanted } = node;
    const [released, added] = difference(node.peers, node.peers = this.#strategy.peers(node.state));
    for (const peer of released) wanted.delete(peer.name);
    for (const peer of added) wanted.set(peer.name, peer);
    for (const { name } of released) if (!wanted.has(name)) this.#network.release(spec.name, name);
    for (const peer of added) this.#network.dial(spec.name, peer);
  }
}
