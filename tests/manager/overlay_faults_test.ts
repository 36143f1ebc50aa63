// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { clusterOf, connected, isSymmetric, overlayScenario, partialOverlays, stranger } from "./overlay_worlds.ts";
import { useChannels } from "../use_channels.ts";
import { scenario, type World } from "./worlds.ts";
import { entryOf, firstOf, lastOf, nthOf, present } from "../values.ts";

/** Has `sender` broadcast until all have heard it: what goes out while the overlay is being repaired is repaired later. */
async function hearEachOther(world: World, nodes: readonly PeerServiceManager[], what: string): Promise<void> {
  const inboxes = nodes.map((node) => world.inbox(node, what));
  firstOf(nodes).broadcast(what, 0);
  lastOf(nodes).broadcast(what, 1);
  await world.until(`all heard of ${what}`, () => inboxes.every(({ messages }) => messages.length >= 2));
  for (const { messages } of inboxes) assertEquals(messages.toSorted(), [0, 1]);
}

/** Lets the overlay come to rest, and what lingers end. */
async function quiet(world: World): Promise<void> {
  const over = world.clock.now() + 20_000;
  await world.until("time passed", () => world.clock.now() > over);
}

/** Ends the incarnations of some nodes without a word. */
function crash(world: World, victims: readonly PeerServiceManager[]): void {
  for (const victim of victims) {
    world.simulated.crash(victim.name);
    world.nodes.splice(world.nodes.indexOf(victim), 1);
  }
}

overlayScenario(
  "the others heal after several nodes crash at once, and a broadcast reaches all of them again",
  async (world, nodes, { name }) => {
    await hearEachOther(world, nodes, "before");
    const isVictim = (index: number) => name === "clientServer" ? index === 0 || index > 12 : index % 3 === 1;
    const victims = nodes.filter((_, index) => isVictim(index));
    const survivors = nodes.filter((_, index) => !isVictim(index));
    crash(world, victims);
    await world.until(
      "all see the crashed down",
      () => survivors.every((node) => victims.every((victim) => !node.isConnected(victim.name))),
    );
    await connected(world, survivors);
    await hearEachOther(world, survivors, "after");
    if (name !== "hyparview") return;
    const links = (node: PeerServiceManager, { name }: PeerServiceManager) =>
      node.stats().peers[name]?.connections ?? 0;
    await world.until(
      "no connection with the crashed is left",
      () => survivors.every((node) => victims.every((victim) => links(node, victim) === 0)),
    );
  },
  ["memory"],
  ({ name }) => name !== "staticOverlay",
);

scenario(
  "Over hyparview, a fifth of thirty nodes heal after all others crashed at once, and a broadcast reaches them",
  async (world) => {
    const overlay = present(partialOverlays.find(({ name }) => name === "hyparview"));
    const nodes = await clusterOf(world, overlay, 30);
    // Who has just joined knows few in reserve before its first shuffle.
    await quiet(world);
    const survivors = nodes.filter((_, index) => index % 5 === 2);
    crash(world, nodes.filter((node) => !survivors.includes(node)));
    await connected(world, survivors);
    await hearEachOther(world, survivors, "after");
  },
  ["memory"],
);

overlayScenario(
  "a paused node is down for its neighbours, who do without it, and all is well when it goes on",
  async (world, nodes) => {
    const paused = nthOf(nodes, 3);
    const others = nodes.filter((node) => node !== paused);
    const neighbours = paused.connected();
    const downs: string[] = [];
    for (const node of others) node.onDown(paused.name, () => downs.push(node.name));
    world.simulated.pause(paused.name);
    await world.until("its neighbours see it down", () => others.every((node) => !node.isConnected(paused.name)));
    for (const neighbour of neighbours) assert(downs.includes(neighbour), `${neighbour} saw nothing`);
    await connected(world, others);
    await hearEachOther(world, others, "meanwhile");
    world.simulated.resume(paused.name);
    await connected(world, nodes);
    await hearEachOther(world, nodes, "afterwards");
  },
  ["memory"],
);

for (const ttl of [0, 1, 2]) {
  overlayScenario(
    `a partition with ttl ${ttl} goes along the connections from an origin that is no neighbour, and heals`,
    async (world, nodes) => {
      await quiet(world);
      const origin = lastOf(nodes);
      const from = stranger(origin, nodes) ?? firstOf(nodes);
      const hops = hopsFrom(origin, nodes);
      const neighbours = new Map(nodes.map((node) => [node.name, node.connected()]));
      const reference = await from.injectPartition(origin.name, ttl);
      const within = nodes.filter(({ name }) => entryOf(hops, name) <= ttl);
      await world.until("those within reach are cut off", () => within.every((node) => node.partitions().length > 0));
      for (const node of within) {
        const cut = node.partitions().map(({ peer }) => peer);
        assertEquals(entryOf(neighbours, node.name).filter((name) => !cut.includes(name)), []);
      }
      const beyond = nodes.filter((node) => !within.includes(node));
      for (const node of beyond) assertEquals(node.partitions(), []);
      firstOf(nodes).resolvePartition(reference);
      await world.until("no partition is left", () => nodes.every((node) => node.partitions().length === 0));
      await connected(world, nodes);
      await hearEachOther(world, nodes, "healed");
    },
    ["memory"],
  );
}

/** By name: how many connections lie between a node and `origin`. */
function hopsFrom(origin: PeerServiceManager, nodes: readonly PeerServiceManager[]): Map<string, number> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const hops = new Map([[origin.name, 0]]);
  for (const [name, distance] of hops) {
    for (const other of entryOf(byName, name).connected()) if (!hops.has(other)) hops.set(other, distance + 1);
  }
  return hops;
}

overlayScenario("connections that no node wants any more are closed", async (world, nodes, { name }) => {
  const open = () => nodes.map((node) => entryOf(world.transports, node.name).open);
  const known = () =>
    nodes.map((node) => Object.values(node.stats().peers).reduce((sum, peer) => sum + peer.connections, 0));
  await quiet(world);
  // A node of HyParView whose view is not full asks one stranger after the other whether it has a place.
  const asking = () => name === "hyparview" ? nodes.filter((node) => node.connected().length < 5).length : 0;
  await world.until("nothing is open but what is wanted, and questions for a place", () => {
    const beyond = known().map((count, index) => count - 2 * nthOf(nodes, index).connected().length);
    return nodes.map(useChannels).every(Boolean) && open().join() === known().join() &&
      beyond.every((count) => 0 <= count && count <= 3 * asking());
  });
  if (name === "hyparview") {
    for (const node of nodes) assert(node.connected().length <= 5, `${node.connected().length} neighbours`);
  }
  assert(isSymmetric(nodes));
}, ["memory"]);
