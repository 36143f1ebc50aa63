// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import type { PeerServiceManager } from "../../manager/peer_service_manager.ts";
import { Timeline } from "./timeline.ts";

/** One start of a node, until it crashes or stops. */
export interface Process {
  /** Name of the node, and number of its start: `"n1#2"`. */
  readonly id: string;
  readonly name: string;
  readonly node: PeerServiceManager;
}

/** A run under way: what the parts that watch it share. */
export class Run {
  readonly cluster: SimulatedCluster;
  readonly timeline: Timeline;
  readonly #starts = new Map<string, number>();
  readonly #processes = new Map<PeerServiceManager, Process>();
  #failure: string | undefined;

  constructor(cluster: SimulatedCluster) {
    this.cluster = cluster;
    this.timeline = new Timeline(() => cluster.now);
  }

  /** Fault that was found first. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Says that something went wrong. Only the first time counts. */
  fail(what: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = what;
    this.timeline.note("checker", what);
  }

  /** A node has started. */
  born(node: PeerServiceManager): Process {
    const start = (this.#starts.get(node.name) ?? 0) + 1;
    this.#starts.set(node.name, start);
    const process: Process = { id: `${node.name}#${start}`, name: node.name, node };
    this.#processes.set(node, process);
    return process;
  }

  /** Whether that process goes on. */
  isAlive({ name, node }: Process): boolean {
    return this.cluster.has(name) && this.cluster.node(name) === node;
  }

  /** All processes that go on. */
  get processes(): Process[] {
    return this.cluster.nodes.flatMap((node) => this.#processes.get(node) ?? []);
  }
}
