// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { SimulatedDns } from "../../testing/simulated_dns.ts";

/** Nodes that look for each other under one name. */
async function lookingFor(name: string, nodes: readonly string[]): Promise<[SimulatedCluster, SimulatedDns]> {
  const names = new SimulatedDns();
  names.set(name, nodes);
  const cluster = new SimulatedCluster({ options: { discovery: names.discovery(name, { port: 9_090 }) } });
  for (const node of nodes) await cluster.startNode(node, { join: false });
  return [cluster, names];
}

Deno.test("Nodes whose name server is mute go on with the nodes that they have, say so, and find the newcomer once it speaks again", async () => {
  const [cluster, names] = await lookingFor("peers", ["a", "b"]);
  await using _ending = cluster;
  assert(await cluster.runUntil(() => cluster.node("a").isConnected("b")));

  names.fail("peers", "mute");
  await cluster.advance(120_000);
  assertEquals(cluster.node("a").members(), ["a", "b"]);
  assertInstanceOf(cluster.node("a").discovery()[0]?.error, Error);

  names.set("peers", ["a", "b", "c"]);
  await cluster.startNode("c", { join: false });
  await cluster.advance(10_000);
  assertEquals(cluster.node("c").members(), ["c"]);
  names.recover("peers");
  assert(await cluster.runUntil(() => cluster.node("c").members().length === 3, 120_000));
  await cluster.settled();
});

Deno.test("A name that is gone, or lists fewer hosts than before, makes no node forget a member", async () => {
  const [cluster, names] = await lookingFor("shrinking", ["a", "b", "c"]);
  await using _ending = cluster;
  assert(await cluster.runUntil(() => cluster.node("c").members().length === 3));
  names.set("shrinking", ["a"]);
  await cluster.advance(60_000);
  names.set("shrinking", []);
  await cluster.advance(60_000);
  assertEquals(cluster.node("a").members(), ["a", "b", "c"]);
  assertEquals(cluster.node("a").connected(), ["b", "c"]);
});
