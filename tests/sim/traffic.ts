// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import type { SimulatedClusterOptions } from "../../testing/simulated_cluster_options.ts";

/** Traffic to all nodes together. */
export interface Traffic {
  /** Everything that arrived: handshakes, and what came over connections that are closed by now, included. */
  readonly bytes: number;
  readonly frames: number;
}

/** A cluster whose traffic is counted. */
export class CountedCluster extends SimulatedCluster {
  readonly #arrived: { bytes: number };

  constructor(options: SimulatedClusterOptions) {
    const arrived = { bytes: 0 };
    super({ ...options, trace: ({ kind, bytes }) => kind === "data" && (arrived.bytes += bytes) });
    this.#arrived = arrived;
  }

  /** Traffic so far. */
  get traffic(): Traffic {
    const peers = this.nodes.flatMap((node) => Object.values(node.stats().peers));
    return { bytes: this.#arrived.bytes, frames: peers.reduce((sum, { framesIn }) => sum + framesIn, 0) };
  }

  /** Starts nodes that all join the first one at the same time. @returns Milliseconds until all is settled. */
  async storm(size: number): Promise<number> {
    for (let count = 1; count <= size; count++) await this.startNode(`n${count}`);
    return await this.settled();
  }

  /** Crashes a node without a word. @returns Milliseconds until no node is connected with it any more. */
  async silentDeath(name: string): Promise<number> {
    this.crash(name);
    const start = this.now;
    const unaware = this.nodes;
    const isNoticed = () => {
      while (unaware.at(-1)?.isConnected(name) === false) unaware.pop();
      return unaware.length === 0;
    };
    if (!await this.runUntil(isNoticed)) throw new Error(`The death of "${name}" is never noticed`);
    return this.now - start;
  }
}
