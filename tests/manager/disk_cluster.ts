// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager, PeerServiceOptions } from "../../mod.ts";
import { MemoryStore } from "../../testing/memory_store.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import type { OneForEach } from "../tuples.ts";
import { entryOf } from "../values.ts";

/** Options of a node of a {@linkcode DiskCluster}. */
export type NodeOptions = Omit<PeerServiceOptions, "name" | "runtime" | "store">;

/** A simulated cluster whose nodes have disks, and find each other again by nothing else. */
export class DiskCluster implements AsyncDisposable {
  readonly cluster: SimulatedCluster;
  /** Options that a node is to be started with next time. */
  readonly options = new Map<string, NodeOptions>();
  /** Errors and removals that nodes told of. */
  readonly told: string[] = [];
  readonly #disks = new Map<string, MemoryStore>();

  /** Has disks for these nodes, none of which runs yet. */
  constructor(names: readonly string[], common: NodeOptions = {}, seed = 1) {
    for (const name of names) this.#disks.set(name, new MemoryStore());
    this.cluster = new SimulatedCluster({
      seed,
      options: (name) => ({ ...common, ...this.options.get(name), store: this.disk(name) }),
      setup: (node) => this.#listen(node),
    });
  }

  /** Starts the nodes, lets them join the first one, and waits until they have settled. */
  static async start(names: readonly string[], common: NodeOptions = {}, seed = 1): Promise<DiskCluster> {
    const disks = new DiskCluster(names, common, seed);
    for (const name of names) await disks.cluster.startNode(name);
    await disks.cluster.settled();
    return disks;
  }

  disk(name: string): MemoryStore {
    return entryOf(this.#disks, name);
  }

  /** Puts another disk into a node, for its next incarnation. */
  exchange(name: string, disk: MemoryStore): void {
    this.#disks.set(name, disk);
  }

  /** Starts nodes again which are told nothing but what is on their disks. */
  async restart<Names extends readonly string[]>(...names: Names): Promise<OneForEach<Names, PeerServiceManager>> {
    const nodes: PeerServiceManager[] = [];
    for (const name of names) nodes.push(await this.cluster.startNode(name, { join: false }));
    // One was started for each name.
    return nodes as OneForEach<Names, PeerServiceManager>;
  }

  /** The members that each running node knows, by name. */
  members(): Record<string, string> {
    return Object.fromEntries(this.cluster.nodes.map((node) => [node.name, node.members().join(" ")]));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster[Symbol.asyncDispose]();
  }

  #listen(node: PeerServiceManager): void {
    node.addEventListener(
      "error",
      ({ detail: { during, error } }) => this.told.push(`${node.name} ${during}: ${error}`),
    );
    node.addEventListener("removed", () => this.told.push(`${node.name} removed`));
  }
}
