// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Faults that the simulator has found with messages, step by step: a seed means another run as soon as the scenarios change, these do not.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { AckTimeoutError, NotConnectedError, PartitionedError, StoppedError } from "../../messaging/errors.ts";
import { staticOverlay } from "../../strategy/mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { firstOf, nthOf } from "../values.ts";

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

Deno.test("the reply to a call of an earlier incarnation is not taken for that to another call", async () => {
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
  firstOf(replies)("first");
  await cluster.advance(5_000);
  nthOf(replies, 1)("second");
  assertEquals(await cluster.wait(call), "second");
});

Deno.test("a node that leaves gives up its calls, and hears nothing of them in its next incarnation", async () => {
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
  firstOf(replies)("late");
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

Deno.test("messages for the next incarnation of a node that has left are kept when it tells of that itself", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 1 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const heard: unknown[] = [];
  b.register("ear", (message) => heard.push(message));
  cluster.cut("a", "b", { connects: "refuse" });
  cluster.reset("a", "b");
  cluster.cut("a", "c");
  await cluster.wait(b.leave());

  // Now a, which has not heard of it, dials the next incarnation.
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
  // Now a dials the next incarnation of b. That the last one has left it hears from c: b itself is a stranger now, who may only join.
  cluster.world.network.heal("a", "b");
  cluster.world.network.heal("a", "c");
  assert(await cluster.runUntil(() => !a.member("b")));
  await assertRejects(() => a.forwardMessage("b", "ear", 2, { ack: true, causalLabel: "order" }), NotConnectedError);
});

Deno.test("messages for the next incarnation of a node that has left are given up when that does not join", async () => {
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

Deno.test("a broadcast goes to those that an injected partition has let go, although no connection changed", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  const heard: unknown[] = [];
  cluster.node("a").register("ear", (message) => heard.push(message));
  const reference = await cluster.wait(cluster.node("a").injectPartition("b", 0));
  // While b is cut off, all look again for nodes to broadcast to.
  cluster.crash("c", { reset: true });
  await cluster.advance(100);
  cluster.node("a").resolvePartition(reference);
  await cluster.advance(100);
  cluster.node("b").broadcast("ear", 1);
  await cluster.advance(1_000);
  assertEquals(heard, [1]);
});

Deno.test("a dial that takes long does not replace the connection that the other side has dialed meanwhile", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], options: { preset: "local" }, latency: 1 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const heard: unknown[] = [];
  b.register("ear", (message) => heard.push(message));
  // What a dials arrives when b has lost patience and dialed as well.
  cluster.reset("a", "b");
  cluster.clog("a", "b", 350);
  await cluster.advance(1_050);
  cluster.heal();
  assert(await cluster.runUntil(() => a.isFullyConnected("b") && b.isFullyConnected("a")));
  const sent = Array.from({ length: 300 }, (_, index) => index);
  for (const index of sent) {
    a.castMessage("b", "ear", index);
    await cluster.advance(5);
  }
  assertEquals(heard, sent);
});

Deno.test("a node that leaves gives up what it was answering, also what it had asked itself", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const signals: AbortSignal[] = [];
  b.register("patient", (_, { signal }) => {
    signals.push(signal);
    return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  });
  const outcomes = [a, b].map((caller) => assertRejects(() => caller.call("b", "patient", null)));
  assert(await cluster.runUntil(() => signals.length === 2));
  await cluster.wait(b.leave());
  await cluster.wait(Promise.all(outcomes));
  assertEquals(signals.map(({ aborted }) => aborted), [true, true]);
});

Deno.test("what waits for room in a connection that is replaced comes before what is sent later", async () => {
  const options = { preset: "local", channels: { bulk: { maxQueuedBytes: 65_536 } } } as const;
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], options, latency: 1 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const heard: number[] = [];
  b.register("ear", (bytes: Uint8Array) => void heard.push(firstOf(bytes)));
  const send = (number: number) =>
    a.forwardMessage("b", "ear", new Uint8Array(20_000).fill(number), { channel: "bulk" });
  cluster.cut(["a"], ["b"]);
  const sent = Array.from({ length: 10 }, (_, number) => send(number));
  const replaced = Promise.withResolvers<void>();
  a.onUp("b", () => {
    sent.push(send(10));
    replaced.resolve();
  }, { channel: "bulk" });
  await cluster.advance(700);
  cluster.heal();
  await cluster.wait(replaced.promise);
  await cluster.wait(Promise.all(sent));
  assert(await cluster.runUntil(() => heard.length === 11));
  assertEquals(heard, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

Deno.test("causal messages to a member that could never be reached wait for it, although others have told of it for long", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "c"] });
  const b = await cluster.startNode("b", { join: false });
  const [a, c] = [cluster.node("a"), cluster.node("c")];
  cluster.cut("a", "b", { connects: "refuse" });
  await cluster.wait(b.join(c.spec));
  assert(await cluster.runUntil(() => a.member("b") && c.isConnected("b")));
  const heard: unknown[] = [];
  for (const node of [a, b]) node.register("ear", (message) => void heard.push(message));
  const options = { causalLabel: "order", ack: true };
  const before = a.forwardMessage("b", "ear", "before", options);
  await cluster.wait(c.forwardMessage("b", "ear", "from c", options));
  await cluster.wait(c.forwardMessage("a", "ear", "news of b", options));
  await cluster.advance(100_000);
  const after = a.forwardMessage("b", "ear", "after", options);
  cluster.heal();
  await cluster.wait(Promise.all([before, after]));
  assertEquals(heard, ["from c", "news of b", "before", "after"]);
});

Deno.test("a relayed message that comes by a second way once its receiver has left and joined again is not handed over again", async () => {
  const strategy = staticOverlay([["a", "c"], ["a", "d"], ["c", "b"], ["d", "b"]]);
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c", "d"], options: { strategy } });
  // Until no connection is left by which they joined.
  await cluster.advance(30_000);
  const b = cluster.node("b");
  const heard: unknown[] = [];
  b.register("ear", (message) => void heard.push(message));
  cluster.cut("a", "d");
  cluster.node("a").castMessage("b", "ear", 1, { transitive: true });
  await cluster.advance(100);
  assertEquals(heard, [1]);
  await cluster.wait(b.leave());
  await cluster.wait(b.syncJoin(cluster.node("d").spec));
  cluster.heal();
  await cluster.advance(10_000);
  assertEquals(heard, [1]);
});
