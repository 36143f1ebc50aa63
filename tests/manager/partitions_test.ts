// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { NotConnectedError, PartitionedError, type PeerServiceManager } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { scenario } from "./worlds.ts";
import { firstOf } from "../values.ts";

const NAMES = ["a", "b", "c", "d"] as const;

function peersOf(node: PeerServiceManager): string[] {
  return node.partitions().map(({ peer }) => peer);
}

scenario("With ttl 0 the origin alone cuts itself off, both ways, from every node", async (world) => {
  const [a, b, c, d] = await world.cluster(NAMES);
  const heard = world.inbox(b, "log");
  const reference = await a.injectPartition("b", 0);
  assertEquals(b.partitions(), ["a", "c", "d"].map((peer) => ({ reference, peer })));
  for (const node of [a, c, d]) assertEquals(node.partitions(), []);
  await assertRejects(() => b.forwardMessage("a", "log", 1), PartitionedError);
  assertEquals(b.castMessage("a", "log", 1), false);
  // The others do not know of it: what they send is dropped at the origin.
  await a.forwardMessage("b", "log", "lost");
  await world.until("the message came and was dropped", () => !a.isConnected("b"));
  b.resolvePartition(reference);
  await world.settled([a, b, c, d]);
  await a.forwardMessage("b", "log", "after");
  await world.until("it arrived", () => heard.messages.length > 0);
  assertEquals(heard.messages, ["after"]);
});

scenario(
  "With ttl 1 the neighbours cut themselves off as well: over a full mesh every node from every other",
  async (world) => {
    const nodes = await world.cluster(NAMES);
    const reference = await nodes[0].injectPartition("c", 1);
    await world.until("all are cut off", () => nodes.every((node) => node.partitions().length === 3));
    for (const node of nodes) assertEquals(peersOf(node), NAMES.filter((name) => name !== node.name));
    await assertRejects(() => nodes[0].forwardMessage("b", "log", 1), PartitionedError, "an injected partition");
    nodes[3].resolvePartition(reference);
    await world.until("it is over everywhere", () => nodes.every((node) => node.partitions().length === 0));
    await world.settled(nodes);
  },
);

scenario("With ttl 2 the same, and messages in every direction pass again afterwards", async (world) => {
  const nodes = await world.cluster(NAMES);
  const inboxes = nodes.map((node) => world.inbox(node, "log"));
  const reference = await nodes[0].injectPartition("a", 2);
  await world.until("all are cut off", () => nodes.every((node) => node.partitions().length === 3));
  nodes[0].resolvePartition(reference);
  await world.until("it is over everywhere", () => nodes.every((node) => node.partitions().length === 0));
  await world.settled(nodes);
  for (const from of nodes) for (const to of NAMES) await from.forwardMessage(to, "log", from.name);
  await world.until("all arrived", () => inboxes.every(({ messages }) => messages.length === 4));
});

scenario(
  "Heartbeats and gossip are cut as well: the failure detectors fire, membership stays, and all heals",
  async (world) => {
    const nodes = await world.cluster(NAMES);
    const [a, b] = nodes;
    const reference = await a.injectPartition("b", 0);
    await world.until("b is down for the others", () => nodes.every((node) => node === b || !node.isConnected("b")));
    await world.until("the others are down for b", () => b.connected().length === 0);
    for (const node of nodes) assertEquals<readonly string[]>(node.members(), NAMES);
    // What changes meanwhile reaches b afterwards.
    const e = await world.start("e");
    await e.syncJoin(a.spec);
    assertEquals<readonly string[]>(b.members(), NAMES);
    b.resolvePartition(reference);
    await world.settled([...nodes, e]);
  },
);

scenario("Acknowledged messages wait for the end of a partition that only the receiver knows of", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  const reference = await b.injectPartition("b", 0);
  const sent = [1, 2, 3].map((n) => a.forwardMessage("b", "log", n, { ack: true, retransmission: { initial: 50 } }));
  const later = world.clock.now() + 200;
  await world.until("a while has passed", () => world.clock.now() >= later);
  assertEquals(heard.messages, []);
  b.resolvePartition(reference);
  await Promise.all(sent);
  assertEquals(heard.messages.toSorted(), [1, 2, 3]);
});

scenario("A peer cut off by two partitions comes back with the end of the second", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const one = await a.injectPartition("a", 0);
  const two = await a.injectPartition("a", 0);
  assertEquals(a.partitions().length, 2);
  a.resolvePartition(one);
  await assertRejects(() => a.forwardMessage("b", "log", 1), PartitionedError);
  assertEquals(a.partitions(), [{ reference: two, peer: "b" }]);
  a.resolvePartition(two);
  a.resolvePartition(two);
  a.resolvePartition("never was");
  await world.settled([a, b]);
});

scenario("injectPartition() refuses a ttl out of range, and an origin that no node can reach", async (world) => {
  const a = await world.start("a");
  for (const ttl of [-1, 256, 1.5, NaN]) await assertRejects(() => a.injectPartition("a", ttl), RangeError, `"ttl" is`);
  await assertRejects(() => a.injectPartition("b", 0), NotConnectedError, "there is no connection to any node");
  const reference = await a.injectPartition("a", 3);
  assertEquals(a.partitions(), []);
  a.resolvePartition(reference);
});

scenario("A partition stays in force for connections that break and are opened again", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  const [a, b] = nodes;
  const reference = await a.injectPartition("b", 0);
  world.breakConnections("b");
  await world.until("b lost them", () => b.connected().length === 0);
  const later = world.clock.now() + 1_500;
  await world.until("they could be back", () => world.clock.now() >= later);
  assertEquals(peersOf(b), ["a", "c"]);
  await assertRejects(() => b.forwardMessage("a", "log", 1), PartitionedError);
  assert(!b.isConnected("a"));
  b.resolvePartition(reference);
  await world.settled(nodes);
});

for (const origin of ["a", "e"]) {
  Deno.test(`While "${origin}" is cut off, it is down for the others once, and stays so`, async () => {
    await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c", "d", "e"], options: { log: false } });
    const others = cluster.nodes.filter(({ name }) => name !== origin);
    const told: string[] = [];
    for (const node of others) {
      node.onUp(origin, () => told.push(`${node.name}: up`));
      node.onDown(origin, () => told.push(`${node.name}: down`));
    }
    const cutOff = cluster.node(origin);
    const reference = await cluster.wait(cutOff.injectPartition(origin, 0));
    await cluster.advance(120_000);
    assertEquals(told.sort(), others.map(({ name }) => `${name}: down`));
    // Nor does it get through by an address.
    const join = cutOff.syncJoin(firstOf(firstOf(others).spec.addresses));
    await assertRejects(() => cluster.wait(join), Error, "an injected partition is in between");
    cutOff.resolvePartition(reference);
    await cluster.settled();
  });
}
