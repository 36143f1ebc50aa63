// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * What the simulator has found, step by step: a seed means another run as soon as the scenarios change, these do not.
 *
 * @module
 */

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { AckTimeoutError, NotConnectedError, PartitionedError, StoppedError } from "../../messaging/errors.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";

Deno.test("a node begins another life when the clock shows a fraction of a millisecond", async () => {
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

Deno.test("a message with guarantees to a node that has left is refused, though its connections linger", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  b.register("ear", () => {});
  await cluster.wait(a.forwardMessage("b", "ear", 1, { ack: true, causalLabel: "order" }));
  const left = b.leave();
  assert(await cluster.runUntil(() => !a.member("b")));
  for (const causalLabel of ["order", undefined]) {
    await assertRejects(() => a.forwardMessage("b", "ear", 2, { ack: true, causalLabel }), NotConnectedError);
  }
  await cluster.wait(left);
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

Deno.test("the reply to a call of an earlier life is not taken for that to another call", async () => {
  const replies: ((reply: string) => void)[] = [];
  await using cluster = await SimulatedCluster.start({
    nodes: ["a", "b"],
    setup: (node) => node.register("slow", () => new Promise((resolve) => replies.push(resolve))),
  });
  cluster.node("b").call("a", "slow", 1);
  await cluster.runUntil(() => replies.length === 1);
  cluster.crash("b");
  await cluster.startNode("b");
  await cluster.settled();
  const call = cluster.node("b").call("a", "slow", 2);
  await cluster.runUntil(() => replies.length === 2);
  replies[0]!("first");
  await cluster.advance(5_000);
  replies[1]!("second");
  assertEquals(await cluster.wait(call), "second");
});

Deno.test("a node that leaves gives up its calls, and hears nothing of them in its next life", async () => {
  const replies: ((reply: string) => void)[] = [];
  await using cluster = await SimulatedCluster.start({
    nodes: ["a", "b"],
    setup: (node) => node.register("slow", () => new Promise((resolve) => replies.push(resolve))),
  });
  const b = cluster.node("b");
  const call = b.call("a", "slow", 1);
  await cluster.runUntil(() => replies.length === 1);
  const outcome = assertRejects(() => call, StoppedError, '"b" has left the cluster');
  await cluster.wait(b.leave());
  await outcome;
  replies[0]!("late");
  await cluster.wait(b.syncJoin(cluster.node("a").spec));
  await cluster.advance(5_000);
});

Deno.test("a message that is repeated after its sender has left is not handed over again", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 1 });
  let count = 0;
  cluster.node("a").register("ear", () => count++);
  cluster.pause("a");
  const outcome = cluster.node("b").forwardMessage("a", "ear", 1, { ack: true }).catch(() => {});
  // Long enough for a repetition.
  await cluster.advance(2_500);
  const left = cluster.node("b").leave();
  await cluster.advance(100);
  cluster.resume("a");
  await cluster.wait(Promise.all([left, outcome]));
  assertEquals(count, 1);
});

Deno.test("a ping that ends with the life of a peer does not make its next life doubtful", async () => {
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

Deno.test("a causally ordered message that is given up lets those after it through, and does not come itself", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const heard: unknown[] = [];
  b.register("ear", (message) => heard.push(message));
  const order = { ack: true, causalLabel: "order" };

  cluster.cut("a", "b", { connects: "refuse" });
  cluster.reset("a", "b");
  const late = assertRejects(
    () => a.forwardMessage("b", "ear", "too late", { ...order, timeout: 500 }),
    AckTimeoutError,
  );
  const outcome = a.forwardMessage("b", "ear", "in time", order);
  await cluster.wait(late);
  cluster.heal();
  await cluster.wait(outcome);
  assertEquals(heard, ["in time"]);

  const reference = await cluster.wait(a.injectPartition("a", 0));
  await assertRejects(() => a.forwardMessage("b", "ear", "partitioned", order), PartitionedError);
  a.resolvePartition(reference);
  await cluster.wait(a.forwardMessage("b", "ear", "healed", order));
  await cluster.runUntil(() => heard.length === 2);
  assertEquals(heard, ["in time", "healed"]);
});

Deno.test("a node that stops tells of nobody that comes up", async () => {
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

Deno.test("messages for the next life of a node that has left are kept when it tells of that itself", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 1 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const heard: unknown[] = [];
  b.register("ear", (message) => heard.push(message));
  cluster.cut("a", "b", { connects: "refuse" });
  cluster.reset("a", "b");
  cluster.cut("a", "c");
  await cluster.wait(b.leave());

  // Now a, which has not heard of it, dials the next life.
  cluster.world.network.heal("a", "b");
  assert(await cluster.runUntil(() => a.stats().peers.b?.connections === 1));
  assert(a.member("b"));
  const outcomes = Promise.all([1, 2, 3].map((number) => a.forwardMessage("b", "ear", number, { ack: true })));
  assert(await cluster.runUntil(() => !a.member("b")));
  assertEquals(heard, []);
  await b.join(a.spec);
  await cluster.wait(outcomes);
  assertEquals(heard.sort(), [1, 2, 3]);
});

Deno.test("causally ordered messages are for members only, whose leaving is told to everyone", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 1 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  b.register("ear", () => {});
  cluster.cut("a", "b", { connects: "refuse" });
  cluster.reset("a", "b");
  cluster.cut("a", "c");
  await cluster.wait(b.leave());
  // Now a dials the next life of b, and hears from it that the last one has left.
  cluster.world.network.heal("a", "b");
  assert(await cluster.runUntil(() => a.isConnected("b") && !a.member("b")));
  await cluster.wait(a.forwardMessage("b", "ear", 1, { ack: true }));
  await assertRejects(() => a.forwardMessage("b", "ear", 2, { ack: true, causalLabel: "order" }), NotConnectedError);
});

Deno.test("messages for the next life of a node that has left are given up when that does not join", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 1 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  cluster.cut("a", "b", { connects: "refuse" });
  cluster.reset("a", "b");
  await cluster.wait(b.leave());
  cluster.heal();
  assert(await cluster.runUntil(() => a.stats().peers.b?.connections === 1));
  assert(a.member("b"));
  const outcome = assertRejects(() => a.forwardMessage("b", "ear", 1, { ack: true }), NotConnectedError);
  await cluster.wait(outcome);
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

Deno.test("a broadcast goes to those that an injected partition has let go, although no connection changed", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  const heard: unknown[] = [];
  cluster.node("a").register("ear", (message) => heard.push(message));
  const reference = await cluster.wait(cluster.node("a").injectPartition("b", 0));
  // While b is cut off, all look again for whom to broadcast to.
  cluster.crash("c", { reset: true });
  await cluster.advance(100);
  cluster.node("a").resolvePartition(reference);
  await cluster.advance(100);
  cluster.node("b").broadcast("ear", 1);
  await cluster.advance(1_000);
  assertEquals(heard, [1]);
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
    const { pool } = Reflect.get(b, "node");
    pool.doubt(pool.peers.get("a"));
    await cluster.advance(offset);
    await cluster.wait(a.leave());
    assertEquals([...up], a.connected(), `${offset} ms after the doubt`);
    await cluster.wait(b.syncJoin(a.spec));
  }
});
