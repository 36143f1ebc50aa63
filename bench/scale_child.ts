// Copyright 2026 the Partisan peer-service authors. MIT license.

import process from "node:process";
import { fullMesh, hyparview, type NodeSpec, type PeerServiceManager, startPeerService } from "../mod.ts";
import type { Nothing } from "./commands.ts";
import type { Stage } from "./stage.ts";
import { ownMemory } from "./mesh_child.ts";
import { type Befallen, NEWS, ScaleCluster } from "./scale_cluster.ts";

const STRATEGIES = { "full-mesh": fullMesh, hyparview };

/** An overlay that a cluster of this measurement can have. */
export type ScaleStrategy = keyof typeof STRATEGIES;

/** Starts nodes in this process. @returns Their specifications, as JSON. */
export async function openCluster(
  stage: Stage,
  { strategy, nodes, first }: { strategy: ScaleStrategy; nodes: number; first: number },
): Promise<string[]> {
  const start = (_: unknown, index: number) =>
    startPeerService({ name: `n${first + index}`, strategy: STRATEGIES[strategy](), log: false });
  stage.cluster = new ScaleCluster(await Promise.all(Array.from({ length: nodes }, start)));
  return stage.cluster.nodes.map(({ spec }) => JSON.stringify(spec));
}

/**
 * Has the nodes of this process join the seed by `syncJoin`, with its default patience, again and again until it resolves, and waits until each
 * sees as many others as it has to: all of `total` in a full mesh, a neighbour elsewhere.
 *
 * @returns Number of rejections of `syncJoin`.
 */
export async function joinCluster(
  { cluster }: Stage,
  { strategy, seed, total }: { strategy: ScaleStrategy; seed: string; total: number },
): Promise<number> {
  const contact = JSON.parse(seed) as NodeSpec;
  const others = cluster.nodes.filter(({ name }) => name !== contact.name);
  const rejections = await Promise.all(others.map((node) => joinAtLast(node, contact)));
  const enough = strategy === "full-mesh" ? total - 1 : 1;
  await cluster.until(() => cluster.nodes.every((node) => node.connected().length >= enough));
  return rejections.reduce((sum, count) => sum + count, 0);
}

/** Joins. A node that gave up joining is alone for good, unless it is told to join again. @returns Number of rejections. */
async function joinAtLast(node: PeerServiceManager, contact: NodeSpec): Promise<number> {
  for (let rejections = 0;; rejections++) {
    try {
      await node.syncJoin(contact);
      return rejections;
    } catch {
      // Counted, and tried again, as a program would do it.
    }
  }
}

/** Cost of the nodes of a process while nothing happens, and the events that they told meanwhile. */
export interface IdleCluster extends Befallen {
  /** Share of one processor. */
  readonly cpu: number;
  /** Bytes received per second. */
  readonly bytes: number;
  /** Bytes of memory that the process has to itself. */
  readonly memory: number;
  /** Descriptors that it has open. */
  readonly descriptors: number;
}

/** Does nothing for a while, and says what that took. */
export async function idleCluster(stage: Stage, { seconds }: { seconds: number }): Promise<IdleCluster> {
  const { cluster } = stage;
  const bytesIn = () => cluster.nodes.reduce((sum, node) => sum + node.stats().bytes.in, 0);
  const before = { ...cluster.befallen, cpu: process.cpuUsage(), bytes: bytesIn(), time: performance.now() };
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const microseconds = 1000 * (performance.now() - before.time);
  const { user, system } = process.cpuUsage(before.cpu);
  const { downs, exchanges, suspicions } = cluster.befallen;
  return {
    cpu: (user + system) / microseconds,
    bytes: (bytesIn() - before.bytes) / microseconds * 1e6,
    memory: ownMemory(stage, {}),
    descriptors: openDescriptors(),
    downs: downs - before.downs,
    exchanges: exchanges - before.exchanges,
    suspicions: suspicions - before.suspicions,
  };
}

/** Waits until no node of this process is connected with any of `names`. @returns Time at which that was so, in milliseconds since the epoch. */
export async function missInCluster({ cluster }: Stage, { names }: { names: readonly string[] }): Promise<number> {
  await cluster.until(() => !cluster.nodes.some((node) => names.some((name) => node.isConnected(name))));
  return Date.now();
}

/** Has the first node of this process broadcast a number. @returns Time at which it did so, in milliseconds since the epoch. */
export function tellCluster({ cluster }: Stage, { id }: { id: number }): number {
  const now = Date.now();
  cluster.nodes[0]!.broadcast(NEWS, id);
  return now;
}

/** Waits until all nodes of this process have heard a number. @returns Time at which the last one did, in milliseconds since the epoch. */
export async function hearInCluster({ cluster }: Stage, { id }: { id: number }): Promise<number> {
  await cluster.until(() => cluster.arrivals.get(id)?.length === cluster.nodes.length);
  return Math.max(...cluster.arrivals.get(id)!);
}

/** Stops the nodes. */
export async function closeCluster(stage: Stage, _: Nothing): Promise<void> {
  await Promise.all(stage.cluster.nodes.map((node) => node.stop()));
  stage.cluster = new ScaleCluster([]);
}

function openDescriptors(): number {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch {
    return NaN;
  }
}
