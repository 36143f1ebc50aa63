// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { hyparview, NotConnectedError, staticOverlay } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { entryOf, firstOf, nthOf, present } from "../values.ts";
import { scenario } from "./worlds.ts";

scenario(
  "With HyParView and default options, what is relayed arrives: 30 nodes, of which 10 have stopped",
  async (world) => {
    // Real time is waited for as little as possible.
    const isReal = world.kind === "TCP";
    const preset = isReal ? "local" : "lan";
    const pass = (milliseconds: number) =>
      new Promise<void>((resolve) => world.clock.schedule(isReal ? milliseconds / 5 : milliseconds, resolve));
    const nodes = [];
    for (let i = 0; i < 30; i++) nodes.push(await world.start(`n${i}`, { preset, strategy: hyparview() }));
    for (const node of nodes.slice(1)) await node.syncJoin(firstOf(nodes).spec);
    // The tree of a broadcast is what messages go along, and its root is among those that stop.
    for (const node of nodes) node.register("news", () => {});
    for (let i = 0; i < 5; i++) nthOf(nodes, 25).broadcast("news", i);
    await pass(2_000);
    for (const node of nodes.slice(20)) await node.stop();
    await pass(4_000);
    const living = nodes.slice(0, 20);
    const heard = new Set<string>();
    for (const node of living) {
      node.register("hear", (from: string) => {
        heard.add(`${from}>${node.name}`);
        world.look();
      });
    }
    for (const from of living) {
      for (const to of living) {
        if (from !== to) await from.forwardMessage(to.name, "hear", from.name, { transitive: true });
      }
    }
    await pass(10_000);
    const missing = living.flatMap((from) =>
      living.filter((to) => from !== to && !heard.has(`${from.name}>${to.name}`)).map((to) => `${from.name}>${to.name}`)
    );
    assert(missing.length === 0, `${missing.length} did not arrive: ${missing.slice(0, 10)}`);
  },
);

Deno.test("a message goes over others while its destination has lost the connection that it would take, and has not opened it again", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  const heard: unknown[] = [];
  cluster.node("b").register("ear", (message) => void heard.push(message));
  const a = cluster.node("a");
  await cluster.wait(a.forwardMessage("b", "ear", 1));
  await cluster.advance(1_000);
  present(entryOf(PeerService.nodeOf(a).pool.peers, "b").at("default", 0)).close();
  assert(a.isConnected("b"));
  assertFalse(a.isConnected("b", "default"));
  await cluster.wait(a.forwardMessage("b", "ear", 2, { transitive: true }));
  await cluster.advance(1_000);
  assertEquals(heard, [1, 2]);
});

Deno.test("a message that went over others is not told to be lost when its destination is connected again by the time of its answer", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  const [a, told, heard] = [cluster.node("a"), [] as string[], [] as unknown[]];
  a.addEventListener("undeliverable", ({ detail: { name, reason } }) => told.push(`${name}: ${reason}`));
  cluster.node("b").register("ear", (message) => void heard.push(message));
  await cluster.wait(a.forwardMessage("b", "ear", 1));
  await cluster.wait(a.forwardMessage("c", "ear", 1));
  await cluster.advance(1_000);
  const { pool } = PeerService.nodeOf(a);
  present(entryOf(pool.peers, "b").at("default", 0)).close();
  cluster.clog("c", "b", 500);
  a.castMessage("b", "ear", 2, { transitive: true });
  await cluster.wait(pool.dial(entryOf(pool.peers, "b"), "default", 0));
  await cluster.advance(20_000);
  assertEquals([heard, told], [[1, 2], []]);
});

Deno.test("a causal message to a node outside of the partial view is refused with NotConnectedError, one without a place is relayed", async () => {
  const strategy = hyparview({ activeSize: 2, passiveSize: 1 });
  await using cluster = await SimulatedCluster.start({ nodes: 8, options: { strategy, causalLabels: ["order"] } });
  await cluster.settled();
  const a = cluster.node("n1");
  const stranger = present(cluster.names.find((name) => !a.member(name)));
  const heard: unknown[] = [];
  cluster.node(stranger).register("ear", (message) => void heard.push(message));
  const options = { transitive: true, ack: true };
  await assertRejects(
    () => a.forwardMessage(stranger, "ear", 1, { ...options, causalLabel: "order" }),
    NotConnectedError,
    `Cannot send to "${stranger}": it is not a member`,
  );
  await cluster.wait(a.forwardMessage(stranger, "ear", 2, options));
  assertEquals(heard, [2]);
});

Deno.test("a message goes along more links than in a full mesh where the strategy does not say that it is one", async () => {
  const names = Array.from({ length: 10 }, (_, index) => `n${index + 1}`);
  const strategy = staticOverlay(names.slice(1).map((name, index) => [nthOf(names, index), name]));
  await using cluster = await SimulatedCluster.start({ nodes: names, options: { strategy } });
  await cluster.settled();
  const heard: unknown[] = [];
  cluster.node("n10").register("ear", (message) => void heard.push(message));
  cluster.node("n1").castMessage("n10", "ear", "far", { transitive: true });
  await cluster.advance(5_000);
  assertEquals(heard, ["far"]);
});

Deno.test("an acknowledgement that comes to a dead end along the tree takes all ways when it is repeated", async () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const strategy = staticOverlay(names.map((name, index) => [name, nthOf(names, (index + 1) % names.length)]));
  await using cluster = await SimulatedCluster.start({ nodes: names, options: { strategy } });
  await cluster.settled();
  for (const node of cluster.nodes) node.register("ear", () => {});
  const a = cluster.node("a");
  // Until no connection is left by which it joined.
  await cluster.advance(30_000);
  a.broadcast("ear", "to have a tree");
  await cluster.advance(1_000);
  // A tree that was broken, and that no broadcast has mended since.
  PeerService.nodeOf(cluster.node("d")).messaging.broadcasting.links = () => ["c"];
  PeerService.nodeOf(cluster.node("c")).messaging.broadcasting.links = () => ["d"];
  await cluster.wait(a.forwardMessage("d", "ear", 1, { transitive: true, ack: true }));
});
