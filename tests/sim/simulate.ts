// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../../manager/peer_service_manager.ts";
import type { Timer } from "../../runtime/runtime.ts";
import type { Runtime } from "../../transport/runtime.ts";
import { describeFault, type Fault } from "../../testing/fault.ts";
import { Nemesis } from "../../testing/nemesis.ts";
import { PRESETS } from "../../manager/presets.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { firstOf, lastOf } from "../values.ts";
import { BoundsChecker } from "./bounds_checker.ts";
import { Ledger } from "./ledger.ts";
import { MembershipChecker } from "./membership_checker.ts";
import { type Operation, Operator } from "./operation.ts";
import { Rest } from "./rest.ts";
import { Run } from "./run.ts";
import { type Disturbance, isOperation, LATENCY_MAX_MS, type Scenario } from "./scenario.ts";
import { StatusChecker } from "./status_checker.ts";
import type { Timeline } from "./timeline.ts";
import { StreamWorkload } from "./stream_workload.ts";
import { ViewChecker } from "./view_checker.ts";
import { Workload } from "./workload.ts";

/** Milliseconds between two looks at all nodes. */
const SAMPLE_MS = 50;

/** Milliseconds in which what waits in a connection arrives, or is told of: as long as the cut that it met lasted, and silence is borne. */
const DECISION_MS = 12_000;

/** Outcome of a run. */
export interface Outcome {
  /** Fault that was found, if there was any. */
  readonly failure: string | undefined;
  readonly timeline: Timeline;
  readonly historyHash: string;
  /** Milliseconds of virtual time. */
  readonly time: number;
  /** Milliseconds from the end of the trouble until the cluster was whole. */
  readonly recovery: number;
  readonly events: number;
  readonly messages: number;
}

/** Runs a scenario: trouble first, then peace. */
export async function simulate(scenario: Scenario): Promise<Outcome> {
  const simulation = new Simulation(scenario);
  const rejected = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    simulation.run.fail(`A promise was rejected that no code handles: ${describeError(event.reason)}`);
  };
  globalThis.addEventListener("unhandledrejection", rejected);
  try {
    return await simulation.finish();
  } finally {
    globalThis.removeEventListener("unhandledrejection", rejected);
  }
}

class Simulation {
  readonly run: Run;
  readonly #scenario: Scenario;
  readonly #cluster: SimulatedCluster;
  readonly #workload: Workload;
  readonly #streams: StreamWorkload;
  readonly #ledger: Ledger;
  readonly #status: StatusChecker;
  readonly #membership: MembershipChecker | ViewChecker;
  readonly #bounds: BoundsChecker;
  readonly #nemesis: Nemesis;
  readonly #operator: Operator;
  readonly #undoing = new Map<Operation, Timer>();
  /** Operations that are being undone. */
  #undone = 0;
  #recovery = 0;

  constructor(scenario: Scenario) {
    const setup = (node: PeerServiceManager, runtime: Runtime) => this.#welcome(node, runtime);
    this.#scenario = scenario;
    this.#cluster = new SimulatedCluster({ ...scenario.cluster, setup });
    this.run = new Run(this.#cluster);
    this.#ledger = new Ledger(this.run);
    this.#workload = new Workload(this.run, this.#ledger, scenario);
    this.#streams = new StreamWorkload(this.run, scenario);
    this.#membership = scenario.overlay.knowsAll ? new MembershipChecker(this.run) : new ViewChecker(this.run);
    // A process that is over before the next look has told of itself by connections that came or went.
    this.#status = new StatusChecker(
      this.run,
      Object.keys(scenario.channels),
      (process) => this.#membership.record(process),
    );
    this.#bounds = new BoundsChecker(this.run, boundsOf(scenario));
    this.#nemesis = new Nemesis(this.#cluster, (fault, phase) => this.#told(fault, phase));
    this.#operator = new Operator(this.run, scenario.overlay.knowsAll);
  }

  async finish(): Promise<Outcome> {
    const { run } = this;
    const cluster = this.#cluster;
    try {
      await this.#trouble();
      if (run.failure === undefined) await this.#peace();
    } catch (error) {
      run.fail(`Something was thrown: ${describeError(error)}`);
    }
    const { historyHash, events, now: time } = cluster.world;
    await cluster[Symbol.asyncDispose]();
    return {
      failure: run.failure,
      timeline: run.timeline,
      historyHash,
      time,
      recovery: this.#recovery,
      events,
      messages: this.#ledger.arrivals,
    };
  }

  async #trouble(): Promise<void> {
    const { names, disturbances, duration } = this.#scenario;
    for (const name of names) await this.#cluster.startNode(name);
    this.#nemesis.schedule(disturbances.filter(isFault));
    for (const operation of disturbances.filter(isOperation)) {
      this.#cluster.world.schedule(operation.at, () => this.#operate(operation));
    }
    this.#sampleAgain();
    await this.#cluster.runUntil(() => this.run.failure !== undefined, duration);
  }

  async #peace(): Promise<void> {
    const { run } = this;
    const cluster = this.#cluster;
    run.timeline.note("world", "trouble is over");
    const start = cluster.now;
    await this.#nemesis.end();
    for (const [operation, timer] of this.#undoing) {
      timer.cancel();
      this.#undo(operation);
    }
    this.#operator.resolveAll();
    // What was said of injected partitions is still under way.
    await cluster.runUntil(() => run.failure !== undefined, LATENCY_MAX_MS);
    this.#reunite();
    this.#supervise();
    await this.#untilWhole();
    if (run.failure !== undefined) return;
    this.#recovery = cluster.now - start;
    run.timeline.note("world", "whole again");
    const { isFullMesh } = this.#scenario.overlay;
    // More nodes send more, and what is said to others has to be passed on.
    if (!isFullMesh) this.#workload.end();
    await this.#exchange();
    if (run.failure === undefined && !isFullMesh) await new Rest(run, this.#scenario).watch();
  }

  /** Whether an injected partition is in force, or is just being undone. */
  #isPartitioned(): boolean {
    return this.#undone > 0 || this.#cluster.nodes.some((node) => node.partitions().length > 0);
  }

  /** Lets nodes join that no node can know of: all others have left, or lost what they knew. */
  #reunite(): void {
    const { nodes } = this.#cluster;
    const reached = new Set(nodes.slice(0, 1));
    for (let found = true; found;) {
      found = false;
      for (const node of nodes) {
        const isKnown = [...reached].some((other) => this.#finds(node, other) || this.#finds(other, node));
        if (reached.has(node) || !isKnown) continue;
        reached.add(node);
        found = true;
      }
    }
    for (const node of nodes) {
      if (reached.has(node)) continue;
      this.run.timeline.note("operator", `${node.name} joins again, as no node knows it`);
      node.join(firstOf(nodes).spec);
    }
  }

  /** Whether a node will find another one, because it has that for a member; unless that has left, and it has not heard so. */
  #finds(node: PeerServiceManager, { name, spec }: PeerServiceManager): boolean {
    const known = node.membersForOrchestration().find((member) => member.name === name);
    if (!this.#scenario.overlay.findsKnown && node.stats().peers[name] === undefined) return false;
    return known !== undefined && (known.incarnation === spec.incarnation || !this.#operator.left.has(name));
  }

  /** Starts nodes that were removed, and learn of it only now; ends partitions of which nodes hear only now. */
  #supervise(down: readonly string[] = []): void {
    const cluster = this.#cluster;
    const missing = this.#scenario.names.filter((name) => !cluster.has(name));
    for (const name of missing) {
      if (down.includes(name)) cluster.startNode(name, { join: this.#operator.contactFor(name) });
    }
    this.#operator.resolveNew();
    cluster.world.schedule(SAMPLE_MS, () => this.#supervise(missing));
  }

  /** Everyone reaches everyone, and every caller that waits for an outcome gets it. */
  async #exchange(): Promise<void> {
    const { run } = this;
    await this.#quiet();
    // Connections that met a cut may be waiting for their next try, until they are found out.
    const plain = this.#workload.sendOverAll();
    const last = this.#ledger.size - 1;
    const isSilent = this.#scenario.disturbances.some(({ kind }) => kind === "inject");
    const find = () => isSilent ? [] : this.#ledger.vanished(last);
    const isDecided = () => plain.every((id) => this.#ledger.hasArrived(id)) && find().length === 0;
    await this.#cluster.runUntil(() => run.failure !== undefined || isDecided(), DECISION_MS);
    const vanished = find();
    if (vanished.length > 0) run.fail(`${vanished.length} vanished without a word: ${this.#ledger.describe(vanished)}`);
    await this.#quiet();
    // Those that were found out are being replaced.
    await this.#untilWhole();
    this.#ledger.beginAccount();
    const ids = this.#workload.sendEverywhere();
    await this.#awaitPlain(ids.plain);
    await this.#awaitArrival(ids.broadcast, this.#scenario.recovery);
    await this.#awaitArrival(ids.guaranteed, this.#scenario.delivery);
    this.#sample();
    await this.#cluster.runUntil(() => this.#ledger.pending.length === 0, this.#scenario.delivery);
    const { pending } = this.#ledger;
    if (pending.length > 0) run.fail(`Some wait in vain: ${this.#ledger.describe(pending)}`);
    this.#streams.end();
    await this.#cluster.runUntil(() => this.#streams.pending.length === 0, this.#scenario.recovery);
    const open = this.#streams.pending;
    if (open.length > 0) run.fail(`Some never end: ${open.slice(0, 10).join(", ")}`);
  }

  /** Between neighbours, each message arrives. What others pass on may meet an exchange of neighbours: it arrives, or is told of. */
  async #awaitPlain(ids: readonly number[]): Promise<void> {
    const { overlay, arrival, preset } = this.#scenario;
    if (overlay.isFullMesh) return await this.#awaitArrival(ids, arrival);
    const { interval, missed } = PRESETS[preset].heartbeat;
    const find = () => this.#ledger.vanished(lastOf(ids));
    const isDecided = () => this.run.failure !== undefined || find().length === 0;
    if (await this.#cluster.runUntil(isDecided, arrival + interval * (missed + 1))) return;
    this.run.fail(`${find().length} vanished at rest without a word: ${this.#ledger.describe(find())}`);
  }

  async #awaitArrival(ids: readonly number[], limit: number): Promise<void> {
    const missing = () => ids.filter((id) => !this.#ledger.hasArrived(id) && this.#ledger.isSenderAlive(id));
    await this.#cluster.runUntil(() => this.run.failure !== undefined || missing().length === 0, limit);
    const lost = missing();
    if (lost.length === 0) return;
    this.run.fail(`${lost.length} messages between healthy nodes have not arrived: ${this.#ledger.describe(lost)}`);
  }

  /** Waits until everyone is connected with everyone, and says so. */
  async #untilWhole(): Promise<void> {
    const cluster = this.#cluster;
    const { names, recovery } = this.#scenario;
    const isWhole = () =>
      cluster.names.length === names.length && !this.#isPartitioned() && cluster.disagreement() === undefined;
    await cluster.runUntil(() => this.run.failure !== undefined || isWhole(), recovery);
    if (this.run.failure === undefined && !isWhole()) {
      this.run.fail(`Not whole after ${recovery} ms: ${cluster.disagreement()}`);
    }
  }

  /** Waits until nothing is in the way of what is sent next. */
  async #quiet(): Promise<void> {
    await this.#cluster.runUntil(() => this.#isIdle(), this.#scenario.recovery);
    if (!this.#isIdle()) this.run.fail("Queues do not drain");
  }

  #isIdle(): boolean {
    return this.#cluster.nodes.every((node) =>
      Object.values(node.stats().peers).every(({ queuedBytes }) => queuedBytes < 10_000)
    );
  }

  #operate(operation: Operation): void {
    if (this.run.failure !== undefined) return;
    this.#membership.sample();
    this.#operator.begin(operation);
    const timer = this.#cluster.world.schedule(operation.duration, () => {
      this.#undoing.delete(operation);
      this.#undo(operation);
    });
    this.#undoing.set(operation, timer);
  }

  async #undo(operation: Operation): Promise<void> {
    this.#undone++;
    await this.#operator.undo(operation);
    this.#undone--;
  }

  #welcome(node: PeerServiceManager, runtime: Runtime): void {
    const process = this.run.born(node);
    this.run.timeline.note(process.id, `starts as incarnation ${node.spec.incarnation}`);
    node.addEventListener("error", ({ detail: { during, error } }) => {
      if (during === "writing to the store") return this.run.timeline.note(process.id, `${error}`);
      this.run.fail(`${process.id} met an error ${during}: ${describeError(error)}`);
    });
    node.addEventListener("undeliverable", ({ detail: { node: place, name, reason } }) => {
      this.#ledger.told(process, place);
      if (place === node.name && !reason.includes("Cannot send")) {
        this.run.fail(`${process.id} dropped a message to "${name}": ${reason}`);
      }
    });
    node.addEventListener("removed", () => this.run.timeline.note(process.id, "is removed"));
    // What it adds now may reach others before the next look, and outlive it.
    this.#membership.sample();
    this.#status.watch(process);
    this.#workload.begin(process, runtime);
    this.#streams.begin(process, runtime);
  }

  #told(fault: Fault, phase: string): void {
    if (fault.kind === "crash" && phase === "begins") {
      // It must not take an addition with it that others have seen.
      this.#membership.sample();
      this.#operator.crashed(fault.node);
    }
    this.run.timeline.note("nemesis", `${describeFault(fault)} ${phase}`);
  }

  #sampleAgain(): void {
    this.#cluster.world.schedule(SAMPLE_MS, () => {
      this.#sample();
      this.#sampleAgain();
    });
  }

  #sample(): void {
    this.#membership.sample();
    this.#status.sample();
    this.#bounds.sample();
  }
}

function isFault(disturbance: Disturbance): disturbance is Fault {
  return !isOperation(disturbance);
}

/** Bounds of what may wait for one peer: the bound of each connection, one message of the greatest size, and the membership channel. */
function boundsOf({ channels }: Scenario): { queuedBytes: number } {
  const connections = Object.values(channels).reduce((sum, { parallelism }) => sum + parallelism, 0);
  return { queuedBytes: connections * 65_536 + 8 * 1024 * 1024 };
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.stack ?? `${error}` : `${error}`;
}
