// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  clientServer,
  hyparview,
  type PeerServiceManager,
  type PeerServiceOptions,
  scampV1,
  scampV2,
  staticOverlay,
  type Strategy,
} from "../../mod.ts";
import { reachedNodes } from "../../testing/reached_nodes.ts";
import { scenario, type World } from "./worlds.ts";
import { present } from "../values.ts";

/** An overlay in which nodes keep connections with some others only. */
export interface PartialOverlay {
  readonly name: string;
  /** Strategy of the node of that number; `size` is the number of nodes. */
  readonly strategy: (size: number) => Strategy;
  readonly metadata: (index: number) => Record<string, unknown>;
  /** Whether every node comes to know all others. */
  readonly knowsAll: boolean;
  /** Whether the others stay connected without any quarter of the nodes. */
  readonly heals: boolean;
}

const NO_METADATA = () => ({});

/** The overlays of the library but for the full mesh. */
export const partialOverlays: readonly PartialOverlay[] = [
  { name: "hyparview", strategy: () => hyparview(), metadata: NO_METADATA, knowsAll: false, heals: true },
  { name: "scampV1", strategy: () => scampV1({ c: 1 }), metadata: NO_METADATA, knowsAll: false, heals: true },
  { name: "scampV2", strategy: () => scampV2({ c: 1 }), metadata: NO_METADATA, knowsAll: false, heals: true },
  { name: "clientServer", strategy: () => clientServer(), metadata: tagOf, knowsAll: true, heals: false },
  { name: "staticOverlay", strategy: ringOf, metadata: NO_METADATA, knowsAll: true, heals: false },
];

/** Number of servers among the nodes of a client/server overlay: the first ones. */
export const SERVERS = 2;

function tagOf(index: number): Record<string, unknown> {
  return { tag: index < SERVERS ? "server" : "client" };
}

function ringOf(size: number): Strategy {
  return staticOverlay((name) => [nameOf((Number(name.slice(1)) + 1) % size)]);
}

/** Name of the node of that number. */
export function nameOf(index: number): string {
  return `n${index}`;
}

/** The same test over each overlay: over memory with many nodes and over TCP with a few. */
export function overlayScenario(
  name: string,
  body: (world: World, nodes: PeerServiceManager[], overlay: PartialOverlay) => Promise<void>,
  kinds: readonly World["kind"][] = ["TCP", "memory"],
  chosen: (overlay: PartialOverlay) => boolean = () => true,
): void {
  for (const overlay of partialOverlays.filter(chosen)) {
    for (const kind of kinds) {
      scenario(`Over ${overlay.name}, ${name}`, async (world) => {
        await body(world, await clusterOf(world, overlay, kind === "TCP" ? 6 : 16), overlay);
      }, [kind]);
    }
  }
}

/** Starts a cluster whose nodes joined through one that was there before, each another one. */
export async function clusterOf(world: World, overlay: PartialOverlay, size: number): Promise<PeerServiceManager[]> {
  const nodes: PeerServiceManager[] = [];
  for (let index = 0; index < size; index++) {
    const node = await world.start(nameOf(index), optionsOf(overlay, index, size));
    if (index > 0) await node.syncJoin(present(nodes[index >> 1]).spec);
    nodes.push(node);
  }
  await connected(world, nodes, overlay);
  return nodes;
}

/** Options that a node of such a cluster is started with. */
export function optionsOf(overlay: PartialOverlay, index: number, size: number): PeerServiceOptions {
  return { strategy: overlay.strategy(size), metadata: overlay.metadata(index) };
}

/** Waits until the connections connect all of `nodes`, and both ends of each agree that it is there. */
export async function connected(
  world: World,
  nodes: readonly PeerServiceManager[],
  overlay?: PartialOverlay,
): Promise<void> {
  const names = nodes.map(({ name }) => name).sort();
  await world.until(`${names} are connected`, () =>
    reachedNodes(nodes).size === nodes.length && isSymmetric(nodes) &&
    (!overlay?.knowsAll || nodes.every((node) => node.members().join() === names.join())));
}

/** Whether both ends of every connection see it. */
export function isSymmetric(nodes: readonly PeerServiceManager[]): boolean {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return nodes.every((node) => node.connected().every((other) => byName.get(other)?.connected().includes(node.name)));
}

/** A node that `node` is not connected with. */
export function stranger(
  node: PeerServiceManager,
  nodes: readonly PeerServiceManager[],
): PeerServiceManager | undefined {
  return nodes.find(({ name }) => name !== node.name && !node.isConnected(name));
}
