// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLess } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { entryOf, firstOf } from "../values.ts";

/** Nodes that are alone. */
async function loners(seed: number, count: number): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ seed });
  for (let index = 0; index < count; index++) await cluster.startNode(`n${index}`, { join: false });
  return cluster;
}

/** Has nodes join the first one at once. @returns Milliseconds until all have. */
async function joinFirst(cluster: SimulatedCluster, names: readonly string[]): Promise<number> {
  const began = cluster.now;
  const contact = cluster.node("n0").spec;
  await cluster.wait(Promise.all(names.map((name) => cluster.node(name).syncJoin(contact))));
  return cluster.now - began;
}

Deno.test("nodes that join one at once are welcomed together, and as fast as one of them alone", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    await using cluster = await loners(seed, 24);
    const others = cluster.names.filter((name) => name !== "n0");
    assertLess(await joinFirst(cluster, others), 100, `seed ${seed}`);
    await cluster.settled();
    const heard = others.map((name) => entryOf(PeerService.nodeOf(cluster.node(name)).pool.peers, "n0").framesIn);
    // Told of one another one by one, they would hear 12 times of it on average.
    assertLess(heard.reduce((sum, count) => sum + count, 0), 4 * others.length, `seed ${seed}`);
  }
});

Deno.test("a node that joins is welcomed at once, while another connection says nothing", async () => {
  await using cluster = await loners(1, 2);
  const transport = cluster.world.network.transport("stranger");
  const silent = await cluster.wait(transport.connect(firstOf(cluster.node("n0").spec.addresses)));
  assertLess(await joinFirst(cluster, ["n1"]), 100);
  silent.close();
});

Deno.test("nodes that join one after the other wait two seconds at most for a connection that says nothing", async () => {
  await using cluster = await loners(1, 4);
  const transport = cluster.world.network.transport("stranger");
  const silent = await cluster.wait(transport.connect(firstOf(cluster.node("n0").spec.addresses)));
  assertLess(await joinFirst(cluster, ["n1"]), 100);
  const took = await joinFirst(cluster, ["n2", "n3"]);
  assert(took >= 1_900 && took <= 2_100, `${took} ms`);
  silent.close();
  await cluster.settled();
  assertEquals(cluster.node("n1").members(), ["n0", "n1", "n2", "n3"]);
});

Deno.test("nodes that wait for their welcome get it when the connection that says nothing closes", async () => {
  await using cluster = await loners(1, 4);
  const transport = cluster.world.network.transport("stranger");
  const silent = await cluster.wait(transport.connect(firstOf(cluster.node("n0").spec.addresses)));
  await joinFirst(cluster, ["n1"]);
  cluster.world.schedule(500, () => silent.close());
  const took = await joinFirst(cluster, ["n2", "n3"]);
  assert(took >= 500 && took <= 600, `${took} ms`);
});

Deno.test("a contact that leaves before it has welcomed all tells of them first", async () => {
  await using cluster = await loners(1, 4);
  await joinFirst(cluster, ["n1"]);
  const transport = cluster.world.network.transport("stranger");
  const silent = await cluster.wait(transport.connect(firstOf(cluster.node("n0").spec.addresses)));
  const contact = cluster.node("n0");
  for (const name of ["n2", "n3"]) await cluster.wait(cluster.node(name).join(contact.spec));
  await cluster.advance(100);
  assertEquals(contact.members(), ["n0", "n1", "n2", "n3"]);
  assertEquals(cluster.node("n1").members(), ["n0", "n1"]);
  await cluster.wait(contact.leave());
  silent.close();
  const rest = ["n1", "n2", "n3"];
  assert(await cluster.runUntil(() => rest.every((name) => cluster.node(name).members().join() === rest.join())));
});
