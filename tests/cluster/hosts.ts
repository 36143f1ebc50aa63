// Copyright 2026 the Partisan peer-service authors. MIT license.

import { firstOf, present } from "../values.ts";
import { HostNetwork } from "./host_network.ts";
import { type NodeProcess, ProcessCluster } from "./processes.ts";

const HOSTS = 4;
const NODES_EACH = 3;

/** A cluster with some nodes on each host, an acknowledged message under way from each every 50 ms. */
export class Hosts implements AsyncDisposable {
  readonly network: HostNetwork;
  readonly cluster = new ProcessCluster({ preset: "local" });
  readonly nodes = new Map<string, NodeProcess>();
  /** The nodes of each host. */
  readonly at: NodeProcess[][] = [];

  private constructor(network: HostNetwork) {
    this.network = network;
  }

  /** @param disturbance Treatment of packets by cables, as in {@linkcode HostNetwork.disturb}. */
  static async start(...disturbance: string[]): Promise<Hosts> {
    const hosts = new Hosts(await HostNetwork.lay(HOSTS));
    try {
      if (disturbance.length > 0) await hosts.network.disturb(...disturbance);
      await hosts.#form();
      return hosts;
    } catch (error) {
      await hosts[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Those that are not on that host. */
  others(host: number): NodeProcess[] {
    return this.at.filter((_, index) => index !== host).flat();
  }

  /** Waits until all of these have marked all of those down. @returns After how many milliseconds the last did. */
  async untilDown(observers: readonly NodeProcess[], gone: readonly NodeProcess[], since: number): Promise<number> {
    const seen = () => observers.flatMap((node) => gone.map(({ name }) => node.sawAt("down", name, since)));
    await this.cluster.until("all of them are seen as down", () => seen().every((at) => at !== undefined));
    return Math.max(...seen().map((at) => present(at) - since));
  }

  /** Undoes all cuts. @returns After how many milliseconds all agreed. */
  async heal(): Promise<number> {
    const since = Date.now();
    await this.network.heal();
    await this.cluster.agree();
    return Date.now() - since;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
  }

  async #form(): Promise<void> {
    await Promise.all(this.network.hosts.map(async ({ hostname, prefix }, host) => {
      const names = Array.from({ length: NODES_EACH }, (_, index) => `h${host}-${index}`);
      this.at[host] = await Promise.all(
        names.map((name) => this.cluster.start(name, { listen: `${hostname}:0` }, prefix)),
      );
    }));
    const all = this.at.flat();
    const seed = await firstOf(all).ready;
    await Promise.all(all.slice(1).map((node) => node.tell({ do: "join", peer: seed })));
    await this.cluster.agree();
    for (const node of all) this.nodes.set(node.name, node);
    const names = [...this.nodes.keys()];
    for (const node of this.nodes.values()) {
      await node.tell({ do: "stream", to: names.filter((name) => name !== node.name) });
    }
  }
}
