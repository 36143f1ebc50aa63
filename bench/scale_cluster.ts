// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../mod.ts";

/** Handler of the broadcasts, each of which is a number. */
export const NEWS = "scale";

/** Troubles of the nodes of a process, as they told them. */
export interface Befallen {
  /** Nodes that were seen down. */
  downs: number;
  /** Neighbours that the overlay exchanged for others. */
  exchanges: number;
  /** Suspicions. */
  suspicions: number;
}

/** The nodes of a process. */
export class ScaleCluster {
  readonly befallen: Befallen = { downs: 0, exchanges: 0, suspicions: 0 };
  readonly nodes: readonly PeerServiceManager[];
  /** Times at which the broadcast of that number came, in milliseconds since the epoch, at each node that it reached. */
  readonly arrivals = new Map<number, number[]>();
  #told = Promise.withResolvers<void>();

  constructor(nodes: readonly PeerServiceManager[]) {
    this.nodes = nodes;
    for (const node of nodes) this.#watch(node);
  }

  /** Resolves when `condition` holds. It is looked at whenever a node tells something. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#told.promise;
  }

  #watch(node: PeerServiceManager): void {
    const { befallen } = this;
    node.addEventListener("down", ({ detail }) => {
      if (detail.channel === undefined) {
        if (node.memberInfo(detail.node)?.status !== "down") befallen.exchanges++;
        else befallen.downs++;
      }
      this.#tell();
    });
    node.addEventListener("suspect", () => void befallen.suspicions++);
    for (const type of ["up", "join"] as const) node.addEventListener(type, () => this.#tell());
    node.register(NEWS, (id) => {
      const times = this.arrivals.get(id as number) ?? [];
      times.push(Date.now());
      this.arrivals.set(id as number, times);
      this.#tell();
    });
  }

  #tell(): void {
    this.#told.resolve();
    this.#told = Promise.withResolvers<void>();
  }
}
