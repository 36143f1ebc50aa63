// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Many nodes in this process, which get to know each other. Each second a line says how far they are; the last one begins with `formed` or
 * `unformed`. Usage: `deno run -A bench/starved_child.ts [NODES] [SECONDS]`.
 *
 * @module
 */

import process from "node:process";
import { type PeerServiceManager, startPeerService } from "../mod.ts";

/** State of the nodes at a moment. */
export interface Look {
  /** Seconds since the first node was started. */
  readonly seconds: number;
  /** Processor seconds used by then. */
  readonly cpu: number;
  /** Ordered pairs of which the first has a connection with the second. */
  readonly connected: number;
  /** Ordered pairs of which the first has every connection with the second. */
  readonly full: number;
  /** Events `down` so far. */
  readonly downs: number;
  /** Events `suspect` so far. */
  readonly suspects: number;
  /** Dials so far, and those that failed or were refused. */
  readonly dials: number;
  readonly failed: number;
  readonly refused: number;
}

const [nodes, seconds] = [Number(Deno.args[0] ?? 64), Number(Deno.args[1] ?? 60)];
const startedAt = performance.now();
const cluster: PeerServiceManager[] = [];
let [downs, suspects] = [0, 0];
for (let index = 0; index < nodes; index++) {
  const node = await startPeerService({ name: `n${index}`, listen: "127.0.0.1:0", log: false });
  node.addEventListener("down", () => downs++);
  node.addEventListener("suspect", () => suspects++);
  cluster.push(node);
}
for (const node of cluster.slice(1)) node.join(cluster[0]!.spec).catch(() => {});
let look: Look;
do {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  look = lookAt(cluster);
  say("forming", look);
} while (look.full < nodes * (nodes - 1) && look.seconds < seconds);
say(look.full === nodes * (nodes - 1) ? "formed" : "unformed", look);
Deno.exit(0);

function lookAt(cluster: readonly PeerServiceManager[]): Look {
  const sum = (count: (node: PeerServiceManager) => number) => cluster.reduce((all, node) => all + count(node), 0);
  const { user, system } = process.cpuUsage();
  return {
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    cpu: Math.round((user + system) / 1e5) / 10,
    connected: sum((node) => node.connected().length),
    full: sum((node) => node.members().filter((name) => name !== node.name && node.isFullyConnected(name)).length),
    downs,
    suspects,
    dials: sum((node) => node.stats().connections.dials),
    failed: sum((node) => node.stats().connections.dialFailures),
    refused: sum((node) => Object.values(node.stats().connections.refusedThere).reduce((all, count) => all + count, 0)),
  };
}

function say(state: string, look: Look): void {
  const words = Object.entries(look).map(([name, value]) => `${name} ${value}`).join(", ");
  console.log(`${state}: ${words}`);
}
