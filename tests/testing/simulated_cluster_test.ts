// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertNotEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";

Deno.test("SimulatedCluster.start() starts nodes that know each other and are fully connected", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: 4 });
  assertEquals(cluster.names, ["n1", "n2", "n3", "n4"]);
  for (const node of cluster.nodes) {
    assertEquals(node.members(), cluster.names);
    assert(cluster.names.every((name) => node.isFullyConnected(name)));
  }
  assertEquals(cluster.disagreement(), undefined);
});

Deno.test("SimulatedCluster hands options and setup to every node, in every incarnation", async () => {
  const started: string[] = [];
  const times: number[] = [];
  await using cluster = await SimulatedCluster.start({
    nodes: ["a", "b"],
    options: (name) => ({ metadata: { role: `role of ${name}` }, preset: "local" }),
    setup: (node, { clock }) => {
      started.push(node.name);
      clock.schedule(1_000, () => times.push(cluster.now));
    },
  });
  cluster.crash("b");
  await cluster.advance(100);
  await cluster.startNode("b");
  await cluster.settled();
  assertEquals(started, ["a", "b", "b"]);
  assertEquals(cluster.node("a").membersForOrchestration().map(({ metadata }) => metadata.role), [
    "role of a",
    "role of b",
  ]);
  await cluster.advance(2_000);
  assertEquals(times.length, 2); // of a, and of the second incarnation of b
});

Deno.test("a cluster that is cut in two notices, keeps its members, and heals", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c", "d"] });
  cluster.cut(["a", "b"]);
  assert(await cluster.runUntil(() => cluster.node("a").connected().length === 1, 6_000));
  await cluster.advance(5_000);
  assertEquals(cluster.node("d").connected(), ["c"]);
  assertEquals(cluster.node("d").members(), ["a", "b", "c", "d"]);
  cluster.heal();
  await cluster.settled(5_000);
});

Deno.test("cutOneWay() lets the other direction pass", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 1 });
  const heard: string[] = [];
  for (const node of cluster.nodes) node.register("ear", (_, { from }) => heard.push(from));
  cluster.cutOneWay("a", "b");
  cluster.node("a").castMessage("b", "ear", null);
  cluster.node("b").castMessage("a", "ear", null);
  await cluster.advance(100);
  assertEquals(heard, ["b"]);
});

Deno.test("crash() without a word is noticed by heartbeats, with a reset at once", async () => {
  for (const reset of [false, true]) {
    await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
    cluster.crash("c", { reset });
    assertEquals(cluster.has("c"), false);
    assertThrows(() => cluster.node("c"), Error, 'Cannot use node "c": it is not running');
    await cluster.advance(100);
    assertEquals(cluster.node("a").isConnected("c"), !reset);
    await cluster.advance(6_000);
    assertEquals(cluster.node("a").isConnected("c"), false);
    assertEquals(cluster.node("a").members(), ["a", "b", "c"]);
  }
});

Deno.test("a node that starts again under its name is found without joining", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  cluster.crash("c");
  await cluster.advance(1_000);
  const { incarnation } = (await cluster.startNode("c", { join: false })).spec;
  await cluster.settled();
  assertEquals(cluster.node("a").membersForOrchestration()[2]?.incarnation, incarnation);
  await assertRejects(() => cluster.startNode("c"), TypeError, 'Cannot start node "c": it is running');
});

Deno.test("stopNode() sends what is queued", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const heard: unknown[] = [];
  cluster.node("b").register("ear", (message) => heard.push(message));
  for (let count = 0; count < 10; count++) cluster.node("a").castMessage("b", "ear", new Uint8Array(40_000));
  await cluster.wait(cluster.stopNode("a"));
  await cluster.advance(100);
  assertEquals(heard.length, 10);
  assertEquals(cluster.names, ["b"]);
});

Deno.test("a node that is removed by another one does not run any longer", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  await cluster.wait(cluster.node("a").leave("c"));
  await cluster.settled();
  assertEquals(cluster.names, ["a", "b"]);
});

Deno.test("a paused node is held for dead, and is up as soon as it resumes", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  cluster.pause("c");
  await cluster.advance(8_000);
  assertEquals(cluster.node("a").connected(), ["b"]);
  cluster.resume("c");
  await cluster.advance(100);
  assertEquals(cluster.node("a").connected(), ["b", "c"]);
});

Deno.test("slowReader() holds up a sender of much, and no other node", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  cluster.slowReader("b", 10_000);
  let sent = false;
  cluster.node("a").forwardMessage("b", "ear", new Uint8Array(4_000_000)).then(() => sent = true);
  await cluster.advance(30_000);
  assertEquals(sent, false);
  assertEquals(cluster.node("a").connected(), ["b", "c"]);
  assertEquals(cluster.node("c").connected(), ["a", "b"]);
});

Deno.test("settled() says who is at odds when it has waited for long enough", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  cluster.cut("a");
  await cluster.advance(10_000);
  await assertRejects(() => cluster.settled(100), Error, "is not fully connected with");
});

Deno.test("the same seed gives the same history, another seed another", async () => {
  const history = async (seed: number) => {
    await using cluster = await SimulatedCluster.start({ seed, options: { secret: "s3cret" } });
    cluster.crash("n3");
    await cluster.advance(10_000);
    return cluster.world.historyHash;
  };
  assertEquals(await history(1), await history(1));
  assertNotEquals(await history(1), await history(2));
});

Deno.test("SimulatedCluster.startNode() waits for a start that is under way", async () => {
  await using cluster = new SimulatedCluster();
  const [first, second] = await Promise.all([cluster.startNode("a"), cluster.startNode("a")]);
  assertStrictEquals(first, second);
  assertEquals(cluster.names, ["a"]);
});
