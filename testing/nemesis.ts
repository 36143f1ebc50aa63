// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Timer } from "../runtime/runtime.ts";
import type { Fault } from "./fault.ts";
import type { SimulatedCluster } from "./simulated_cluster.ts";

/**
 * Brings faults upon a simulated cluster, and ends them again.
 *
 * @example Ten seconds of trouble, and then a healthy cluster
 * ```ts
 * import { Nemesis, planFaults, SimulatedCluster } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await SimulatedCluster.start({ nodes: 5, seed: 7 });
 * const nemesis = new Nemesis(cluster);
 * nemesis.schedule(planFaults(cluster.world.random("faults"), { nodes: cluster.names, duration: 10_000 }));
 * await cluster.advance(10_000);
 *
 * await nemesis.end();
 * await cluster.settled();
 * assertEquals(cluster.node("n1").connected(), ["n2", "n3", "n4", "n5"]);
 * ```
 */
export class Nemesis {
  readonly #cluster: SimulatedCluster;
  readonly #told: (fault: Fault, phase: "begins" | "ends") => void;
  readonly #timers = new Set<Timer>();
  readonly #active = new Set<Fault>();
  readonly #restarts = new Set<Promise<unknown>>();

  /**
   * Begins without faults.
   *
   * @param told Is told of each fault as it begins and ends.
   */
  constructor(cluster: SimulatedCluster, told: (fault: Fault, phase: "begins" | "ends") => void = () => {}) {
    this.#cluster = cluster;
    this.#told = told;
  }

  /** Lets these faults happen, counted from now. */
  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) this.#after(fault.at, () => this.#begin(fault));
  }

  /** Ends all faults, and lets none begin any more. Nodes that are down start. */
  async end(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const fault of [...this.#active]) this.#finish(fault);
    await Promise.all(this.#restarts);
  }

  #after(delay: number, callback: () => void): void {
    const timer = this.#cluster.world.schedule(delay, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }

  #begin(fault: Fault): void {
    if (!this.#isPossible(fault)) return;
    this.#told(fault, "begins");
    this.#active.add(fault);
    this.#start(fault);
    if (fault.duration > 0) this.#after(fault.duration, () => this.#finish(fault));
    else this.#finish(fault);
  }

  /** Whether the node that it is about runs: another fault may have taken it down. */
  #isPossible(fault: Fault): boolean {
    return !("node" in fault) || this.#cluster.has(fault.node);
  }

  #start(fault: Fault): void {
    const cluster = this.#cluster;
    switch (fault.kind) {
      case "cut":
      case "clog":
      case "narrow":
        return this.#reshape();
      case "reset":
        return cluster.reset(...fault.nodes);
      case "forget":
        return cluster.forget(...fault.nodes, fault.index);
      case "slow-reader":
        return cluster.slowReader(fault.node, fault.bytesPerSecond);
      case "pause":
        return cluster.pause(fault.node);
      case "crash":
        cluster.crash(fault.node, { reset: fault.reset });
        if (cluster.hasDisks && fault.disk === "lost") cluster.disk(fault.node).bytes = null;
        return;
      case "disk":
        if (cluster.hasDisks) cluster.disk(fault.node).fault = fault.fault;
        return;
      case "skew":
        return cluster.setSkew(fault.node, fault.ms);
    }
  }

  #finish(fault: Fault): void {
    if (!this.#active.delete(fault)) return;
    const cluster = this.#cluster;
    if (fault.kind !== "reset" && fault.kind !== "forget") this.#told(fault, "ends");
    switch (fault.kind) {
      case "cut":
      case "clog":
      case "narrow":
        return this.#reshape();
      case "skew":
        return cluster.setSkew(fault.node, 0);
      case "crash":
        return this.#restart(fault.node, fault.join);
      case "disk":
        if (cluster.hasDisks) cluster.disk(fault.node).fault = "none";
        return;
      case "slow-reader":
        return cluster.slowReader(fault.node, Infinity);
      case "pause":
        if (cluster.world.isPaused(fault.node)) cluster.resume(fault.node);
    }
  }

  #restart(node: string, join: boolean): void {
    // It may have been started elsewhere.
    if (this.#cluster.has(node)) return;
    const starting = this.#cluster.startNode(node, join ? {} : { join: false });
    this.#restarts.add(starting);
    starting.finally(() => this.#restarts.delete(starting));
  }

  /** Makes the network what the present faults are together. */
  #reshape(): void {
    const { network } = this.#cluster.world;
    network.heal();
    for (const fault of this.#active) {
      if (fault.kind === "cut") {
        for (const [from, to] of fault.ways) network.cutOneWay(from, to, { connects: fault.connects });
      } else if (fault.kind === "clog") {
        for (const [from, to] of fault.ways) network.clog(from, to, fault.bytesPerSecond);
      } else if (fault.kind === "narrow") {
        for (const [from, to] of fault.ways) network.narrow(from, to, fault.bytes);
      }
    }
  }
}
