// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Faults that the simulator has found with nodes that come and go, step by step: a seed means another run as soon as the scenarios change, these do not.
 *
 * @module
 */

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { scampV1 } from "../../strategy/mod.ts";
import { entryOf } from "../values.ts";

Deno.test("a node begins another incarnation when the clock shows a fraction of a millisecond", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: 2 });
  cluster.setSkew("n2", 0.25);
  await cluster.wait(cluster.node("n2").leave());
  assert(Number.isInteger(cluster.node("n2").spec.incarnation));
  await cluster.wait(cluster.node("n2").syncJoin(cluster.node("n1").spec));
});

Deno.test("a removed peer that starts again while a connection of its lingers is told down, and up once", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  const a = cluster.node("a");
  const told: string[] = [];
  a.onUp("c", () => told.push("up"));
  a.onDown("c", () => told.push("down"));
  cluster.slowReader("a", 2_000);
  cluster.node("c").castMessage("a", "ear", new Uint8Array(20_000));
  await cluster.wait(cluster.node("b").leave("c"));
  await cluster.startNode("c", { join: "a" });
  // What was told and what can be asked agree at all times.
  assert(!await cluster.runUntil(() => a.isConnected("c") !== (told.at(-1) !== "down"), 5_000));
  assertEquals(told, ["down", "up"]);
  assert(a.isFullyConnected("c"));
});

Deno.test("join() tries again when the node that it reached dies before it has heard of it", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: 1, latency: 10 });
  await cluster.startNode("n2");
  assert(await cluster.runUntil(() => cluster.node("n2").stats().connections.dials > 0));
  // The handshake is over, and the request to join under way.
  await cluster.advance(45);
  cluster.crash("n1", { reset: true });
  await cluster.advance(1_000);
  await cluster.startNode("n1", { join: false });
  await cluster.settled();
});

Deno.test("leaving gives up attempts to join that are under way, and one that begins meanwhile comes after it", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const b = cluster.node("b");
  cluster.world.node("c");
  await b.join("c:9090");
  const left = b.leave();
  await b.join(cluster.node("a").spec);
  await cluster.wait(left);
  await cluster.settled();
  await cluster.startNode("c", { join: false });
  await cluster.advance(10_000);
  assertEquals(b.members(), ["a", "b"]);
});

Deno.test("a ping that ends with the incarnation of a peer does not make its next incarnation doubtful", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  cluster.crash("b");
  // Long enough for a ping, and too short for its end.
  await cluster.advance(1_500);
  await cluster.startNode("b");
  await cluster.settled();
  let downs = 0;
  cluster.node("a").onDown("b", () => downs++, { channel: "default" });
  await cluster.advance(2_000);
  assertEquals(downs, 0);
});

Deno.test("a node that stops tells of no node that comes up", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 1 });
  const told: string[] = [];
  const b = cluster.node("b");
  b.onUp("*", (node) => told.push(node));
  b.onUp("*", (node, channel) => told.push(`${node} ${channel}`), { channel: "default" });
  cluster.slowReader("a", 1_000);
  b.castMessage("a", "ear", new Uint8Array(400_000));
  const stopped = cluster.stopNode("b");
  cluster.crash("c", { reset: true });
  await cluster.advance(10);
  await cluster.startNode("c");
  await cluster.wait(stopped);
  assertEquals(told, []);
});

Deno.test("a connection that is closed in the middle of a frame is no error of its peer", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const errors: unknown[] = [];
  cluster.node("a").addEventListener("error", ({ detail }) => errors.push(detail));
  cluster.slowReader("a", 10_000);
  cluster.node("b").castMessage("a", "ear", new Uint8Array(1_000_000));
  await cluster.wait(cluster.stopNode("b"));
  await cluster.advance(20_000);
  assertEquals(cluster.node("a").connected(), []);
  assertEquals(errors, []);
});

Deno.test("nodes are not fully connected over connections that are about to be replaced", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  const a = cluster.node("a");
  const before = a.stats().connections.dials;
  cluster.cut("a", "b");
  // As c hears both, a does not hold b for dead, but its connections with b.
  assert(await cluster.runUntil(() => a.stats().connections.dials > before));
  assert(a.isConnected("b"));
  assertFalse(a.isFullyConnected("b"));
  cluster.heal();
  await cluster.settled();
});

Deno.test("a node that leaves before it knows that it has joined is forgotten all the same", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 10 });
  const a = cluster.node("a");
  const guest = await cluster.startNode("c", { join: "a" });
  assert(await cluster.runUntil(() => a.member("c")));
  assertEquals(guest.members(), ["c"]);
  await cluster.wait(guest.leave());
  cluster.crash("c");
  await cluster.settled();
  assertEquals(a.members(), ["a", "b"]);
});

Deno.test("a node that leaves tells that all are down, even those that are just connecting again", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 10 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const up = new Set(["b"]);
  a.onUp("*", (node) => up.add(node));
  a.onDown("*", (node) => up.delete(node));
  for (let offset = 0; offset < 80; offset += 5) {
    // As when b has not heard of a for a while.
    const { pool } = PeerService.nodeOf(b);
    pool.doubt(entryOf(pool.peers, "a"));
    await cluster.advance(offset);
    await cluster.wait(a.leave());
    assertEquals([...up], a.connected(), `${offset} ms after the doubt`);
    await cluster.wait(b.syncJoin(a.spec));
  }
});

Deno.test("a node that is stopping makes way for its next incarnation", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  const errors: unknown[] = [];
  // It does not stop before what it has for b is under way.
  cluster.slowReader("b", 1_000);
  cluster.node("c").castMessage("b", "ear", new Uint8Array(500_000));
  const stopped = cluster.stopNode("c");
  const c = await cluster.startNode("c", { join: "a" });
  c.addEventListener("error", ({ detail }) => errors.push(detail.error));
  await cluster.wait(stopped);
  await cluster.settled();
  assertEquals(errors, []);
});

Deno.test("a partition whose injection is given up does not come about later", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  // The request waits in the connection, as no beats are missed yet.
  cluster.cut("a", "b");
  const injected = a.injectPartition("b", 0);
  injected.catch(() => {});
  await assertRejects(() => cluster.wait(injected), DOMException, "no success");
  cluster.heal();
  await cluster.advance(100);
  assertEquals(b.partitions(), []);
  await cluster.settled();
});

Deno.test("a strategy of partial views is told that a peer is up when an injected partition ends, which its connection has outlived", async () => {
  const told: string[] = [];
  const strategy = scampV1();
  const up = strategy.up.bind(strategy);
  strategy.up = (state, peer, context) => (told.push(peer.name), up(state, peer, context));
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], options: () => ({ strategy }) });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  await cluster.wait(b.syncJoin(a.spec));
  const partition = await cluster.wait(a.injectPartition("a", 0));
  told.length = 0;
  await cluster.wait(a.leave(b.spec));
  assert(b.member("a"));
  a.resolvePartition(partition);
  // Without waiting for a connection that opens again: the removed node may not want one.
  assertEquals(told, ["b"]);
  assert(await cluster.runUntil(() => !cluster.has("b")));
});

Deno.test("a node can join one by its address that has dialed it already", async () => {
  for (const names of [["a", "b"], ["b", "a"]] as const) {
    await using cluster = await SimulatedCluster.start({ nodes: names });
    const [contact, joiner] = names;
    await cluster.wait(cluster.node(contact).syncJoin(`${joiner}:9090`));
    await cluster.wait(cluster.node(joiner).syncJoin(`${contact}:9090`));
    await cluster.advance(10);
    assertEquals(cluster.disagreement(), undefined);
  }
});

Deno.test("two nodes that join each other by their addresses at once are connected at once", async () => {
  await using cluster = new SimulatedCluster({ latency: 1 });
  const [a, b] = [await cluster.startNode("a"), await cluster.startNode("b", { join: false })];
  await cluster.wait(Promise.all([a.syncJoin("b:9090"), b.syncJoin("a:9090")]), 100);
  await cluster.advance(10);
  assertEquals(cluster.disagreement(), undefined);
});

Deno.test("a dial that is answered after its node began another incarnation does not begin one more", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 1 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  // What "b" says when it dials "a" takes a second to be read.
  cluster.slowReader("a", 300);
  cluster.reset("a", "b");
  await cluster.advance(10);
  const before = b.spec.incarnation;
  const left = b.leave();
  assert(await cluster.runUntil(() => b.spec.incarnation > before, 60_000));
  const { incarnation } = b.spec;
  await cluster.wait(left);
  await cluster.wait(b.join(cluster.node("c").spec));
  await cluster.advance(10_000);
  assertEquals(a.stats().connections.refused, { "stale-incarnation": 1 });
  assertEquals(b.spec.incarnation, incarnation);
});

Deno.test("a repeated acknowledgement reaches the sender although the connection of membership has fallen silent", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 10 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  let heard = 0;
  for (const node of [a, b]) node.register("ear", () => void heard++);
  // By then the connection of messages has a socket of its own, the second one.
  await cluster.wait(a.forwardMessage("b", "ear", "opens it", { ack: true }));
  await cluster.advance(5_000);
  const sent = a.forwardMessage("b", "ear", "is heard, but its acknowledgement is lost", { ack: true });
  assert(await cluster.runUntil(() => heard === 2));
  cluster.forget("a", "b", 1);
  const dials = () => a.stats().connections.dials + b.stats().connections.dials;
  const before = dials();
  assert(await cluster.runUntil(() => dials() > before));
  cluster.forget("a", "b", 0);
  // The nodes go on talking: neither misses the other, and nothing else tells that their first connection is mute.
  let isSettled = false;
  sent.then(() => isSettled = true);
  for (let ms = 0; ms < 20_000 && !isSettled; ms += 250) {
    a.castMessage("b", "ear", ms);
    b.castMessage("a", "ear", ms);
    await cluster.advance(250);
  }
  assert(isSettled, "the sender was not told");
});

Deno.test("the dials of a node that has started again are of use though a peer has seen later ones of the former incarnation", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 1, options: { preset: "local" } });
  const dial = (from: string, to: string) => {
    const { pool } = PeerService.nodeOf(cluster.node(from));
    return cluster.wait(pool.dial(entryOf(pool.peers, to), "default", 0));
  };
  for (let count = 0; count < 10; count++) await dial("b", "a");
  cluster.crash("b");
  // It begins to count again before "a" has noticed anything.
  await cluster.startNode("b", { join: false });
  await dial("a", "b");
  await cluster.settled();
  const { dial: number } = await dial("b", "a");
  assert(number < 10);
  await cluster.advance(100);
  assert(cluster.node("a").isFullyConnected("b") && cluster.node("b").isFullyConnected("a"));
});

Deno.test("connections of a node that is forgotten before it has joined close, though what came over them waits for that", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 10 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const told: string[] = [];
  a.addEventListener("undeliverable", ({ detail: { name } }) => told.push(name));
  cluster.cut("a", "b", { connects: "refuse" });
  cluster.reset("a", "b");
  await cluster.wait(a.leave());
  // It has not heard of that, and dials what it takes for a member.
  cluster.heal();
  assert(await cluster.runUntil(() => b.isConnected("a") && a.stats().peers.b !== undefined, 10_000));
  assertEquals(a.members(), ["a"]);
  b.castMessage("a", "ear", "waits until its sender has joined");
  const { pool } = PeerService.nodeOf(a);
  assert(await cluster.runUntil(() => entryOf(pool.peers, "b").connections().some(({ held }) => held)));
  a.castMessage("b", "mouth", "is lost");
  cluster.reset("a", "b");
  cluster.crash("b");
  await cluster.advance(60_000);
  assertEquals(pool.draining.size, 0);
  assertEquals(told, ["mouth"]);
});
