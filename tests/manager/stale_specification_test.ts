// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type ChannelOptions, type PeerServiceManager, type PeerServiceOptions, startPeerService } from "../../mod.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { useChannels } from "../use_channels.ts";
import { entryOf, nthOf } from "../values.ts";
import { DiskCluster, type NodeOptions } from "./disk_cluster.ts";
import { scenario, type World } from "./worlds.ts";

type Channels = Readonly<Record<string, ChannelOptions>>;

/** Number of connections that two nodes have: on a channel that both have as many as the one that wants fewer, else as many as the one that has it. */
function connectionsBetween(one: PeerServiceManager, other: PeerServiceManager): number {
  const [a, b] = [one.spec.channels, other.spec.channels];
  const counts = Object.keys({ ...a, ...b }).map((channel) =>
    Math.min(a[channel]?.parallelism ?? Infinity, b[channel]?.parallelism ?? Infinity)
  );
  return counts.reduce((sum, count) => sum + count);
}

/** Faults in the specifications by which nodes know each other, and in their connections; none when all is right. */
function wrongs(nodes: readonly PeerServiceManager[]): string[] {
  const specs = nodes.map(({ spec }) => spec).sort((a, b) => a.name < b.name ? -1 : 1);
  return nodes.flatMap((node) => {
    const known = node.membersForOrchestration();
    const { peers } = node.stats();
    const others = nodes.filter((other) => other !== node);
    return [
      ...(JSON.stringify(known) === JSON.stringify(specs) ? [] : [`${node.name} knows ${JSON.stringify(known)}`]),
      ...(Object.keys(peers).length === others.length ? [] : [`${node.name} has the peers ${Object.keys(peers)}`]),
      ...others.filter((other) => peers[other.name]?.connections !== connectionsBetween(node, other)).map((other) =>
        `${node.name} has ${peers[other.name]?.connections} connections with ${other.name}`
      ),
    ];
  });
}

/** Waits until all is right, and no node has a stream open that does not belong to one of its connections. */
async function allRight(world: World, nodes: readonly PeerServiceManager[]): Promise<void> {
  const leaks = () =>
    nodes.filter((node) => {
      const belong = nodes.reduce((sum, other) => other === node ? sum : sum + connectionsBetween(node, other), 0);
      return entryOf(world.transports, node.name).open !== belong;
    });
  const areUsed = () => nodes.map(useChannels).every(Boolean);
  await world.until("every node is known and connected as it is now", () => areUsed() && wrongs(nodes).length === 0);
  await world.until("no stream is left over", () => leaks().length === 0);
  for (const node of nodes) {
    assertEquals(node.members(), nodes.map(({ name }) => name).sort());
    for (const { name } of nodes) assert(node.isFullyConnected(name), `${node.name} with ${name}`);
  }
}

/** Every pair exchanges messages over each channel that both know. */
async function allTalk(world: World, nodes: readonly PeerServiceManager[]): Promise<void> {
  const expected = nodes.length - 1;
  for (const channel of ["default", "membership"]) {
    const inboxes = nodes.map((node) => world.inbox(node, `talk ${channel} ${node.spec.incarnation}`));
    for (const node of nodes) {
      for (const other of nodes) {
        if (other === node) continue;
        const name = `talk ${channel} ${other.spec.incarnation}`;
        await node.forwardMessage(other.name, name, node.name, { channel, ack: true });
      }
    }
    for (const { messages } of inboxes) assertEquals(messages.length, expected);
  }
}

/** Stops a node as a process that is told to end, and starts it again with other options. It is told which node to join. */
async function again(
  world: World,
  node: PeerServiceManager,
  contact: PeerServiceManager,
  options: PeerServiceOptions,
): Promise<PeerServiceManager> {
  await node.stop();
  const next = await world.start(node.name, options);
  await next.syncJoin(contact.spec);
  return next;
}

const elsewhere = (world: World, name: string): PeerServiceOptions =>
  world.kind === "TCP" ? {} : { listen: { hostname: name, port: 7_000 } };

for (const name of ["a", "c"]) {
  scenario(`A node that comes back at another address is one member there: "${name}"`, async (world) => {
    const nodes = await world.cluster(["a", "b", "c"]);
    const index = nodes.findIndex((node) => node.name === name);
    const before = nthOf(nodes, index).spec;
    nodes[index] = await again(world, nthOf(nodes, index), nthOf(nodes, 1), elsewhere(world, name));
    assertNotEquals(nodes[index].spec.addresses, before.addresses);
    await allRight(world, nodes);
    await allTalk(world, nodes);
  });
}

const changes: readonly [what: string, before: Channels, after: Channels][] = [
  ["more connections", {}, { default: { parallelism: 4 } }],
  ["fewer connections", { default: { parallelism: 4 } }, { default: { parallelism: 2 } }],
  ["a further channel", {}, { bulk: { parallelism: 2 } }],
  ["a channel less", { bulk: { parallelism: 2 }, state: {} }, { state: {} }],
  ["another channel", { bulk: { parallelism: 3 } }, { state: { monotonic: true } }],
  ["other options of a channel", { bulk: { compression: false } }, { bulk: { compression: true, monotonic: true } }],
];

for (const [what, before, after] of changes) {
  scenario(`A node comes back with ${what}`, async (world) => {
    const nodes = await world.cluster(["a", "b", "c"], { channels: before });
    nodes[1] = await again(world, nodes[1], nodes[2], { channels: after });
    await allRight(world, nodes);
    await allTalk(world, nodes);
  });

  scenario(`A rolling update gives one node after the other ${what}`, async (world) => {
    const nodes = await world.cluster(["a", "b", "c"], { channels: before });
    for (const index of [2, 0, 1]) {
      nodes[index] = await again(world, nthOf(nodes, index), nthOf(nodes, (index + 1) % 3), { channels: after });
      await allRight(world, nodes);
    }
    await allTalk(world, nodes);
    const channels = new Set(nodes.map(({ spec }) => JSON.stringify(spec.channels)));
    assertEquals(channels.size, 1);
  });
}

/** Waits until all is right in a simulated cluster. */
async function settleRight({ cluster }: DiskCluster, limit: number): Promise<void> {
  const areUsed = () => cluster.nodes.map(useChannels).every(Boolean);
  await cluster.runUntil(() => areUsed() && wrongs(cluster.nodes).length === 0, limit);
  assertEquals(wrongs(cluster.nodes), []);
  await cluster.advance(20_000);
  assertEquals(wrongs(cluster.nodes), []);
}

const NAMES = ["a", "b", "c", "d"] as const;

for (const name of ["a", "d"]) {
  for (const reset of [true, false]) {
    const death = reset ? "resets its connections" : "dies without a word";
    Deno.test(`A node that ${death} and is back at once, elsewhere and with other channels, is one member: "${name}"`, async () => {
      await using disks = await DiskCluster.start(NAMES, { channels: { old: { parallelism: 3 } } });
      const changed: NodeOptions[] = [
        { listen: { hostname: name, port: 7_000 }, channels: { young: { parallelism: 2 } } },
        { channels: { default: { parallelism: 5 } } },
        { listen: { hostname: name, port: 7_001 }, channels: {} },
      ];
      for (const options of changed) {
        disks.cluster.crash(name, { reset });
        disks.options.set(name, options);
        await disks.restart(name);
        await settleRight(disks, 15_000);
      }
      assertEquals(disks.told, []);
    });
  }
}

Deno.test("All nodes restart at once with other channels, and have the right connections", async () => {
  await using disks = await DiskCluster.start(NAMES, { channels: { bulk: { parallelism: 4 } } });
  for (const channels of [{ bulk: { parallelism: 2 } }, { state: {} }, {}, { default: { parallelism: 3 } }]) {
    for (const name of NAMES) disks.cluster.crash(name);
    for (const name of NAMES) disks.options.set(name, { channels });
    await disks.restart(...NAMES);
    await settleRight(disks, 15_000);
  }
});

Deno.test("A node that was cut off while others came back elsewhere has the right connections with all of them", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  cluster.cut(["a"]);
  for (const [index, name] of ["b", "c", "d"].entries()) {
    cluster.crash(name);
    disks.options.set(name, {
      listen: { hostname: name, port: 7_000 + index },
      channels: { bulk: { parallelism: index + 1 } },
    });
    await disks.restart(name);
    await cluster.advance(5_000);
  }
  disks.options.set("d", { channels: { default: { parallelism: 2 } } });
  cluster.crash("d");
  await disks.restart("d");
  cluster.heal();
  await settleRight(disks, 30_000);
});

Deno.test("An incarnation that is over does not come back with what it said, although it still runs somewhere", async () => {
  const world = new SimulatedWorld({ seed: 3 });
  const start = (host: string, name: string, parallelism: number) =>
    startPeerService({
      name,
      listen: { hostname: host, port: 1 },
      channels: { default: { parallelism } },
      runtime: world.node(host),
    });
  const [a, b, old] = [await start("a", "a", 1), await start("b", "b", 1), await start("c", "c", 2)];
  for (const node of [b, old]) await node.join(a.spec);
  await world.advance(5_000);
  world.pause("c");
  await world.advance(10_000);
  const young = await start("c2", "c", 3);
  await young.join(b.spec);
  await world.advance(5_000);
  for (const node of [a, b, young]) useChannels(node);
  await world.advance(1_000);
  assertEquals(wrongs([a, b, young]), []);
  world.resume("c");
  await world.advance(30_000);
  assertEquals([wrongs([a, b, young]), old.connected()], [[], []]);
  for (const host of ["a", "b", "c", "c2"]) world.crash(host);
});
