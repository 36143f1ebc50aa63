// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { hyparview, scampV1 } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import type { PeerServiceManager } from "../../manager/peer_service_manager.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { entryOf, firstOf, present } from "../values.ts";

/** Has a node take calls and casts that go on until their signal is aborted. @returns Those signals, as they come. */
function patient(node: PeerServiceManager): AbortSignal[] {
  const signals: AbortSignal[] = [];
  node.register("patient", (_, { signal }) => {
    signals.push(signal);
    return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  });
  return signals;
}

/** Connections of node `at` with a peer. */
function peerAt(cluster: SimulatedCluster, at: string, name: string) {
  const { pool } = PeerService.nodeOf(cluster.node(at));
  return { pool, peer: entryOf(pool.peers, name) };
}

Deno.test("a handler learns that its sender is gone though what it handles came over a replaced connection, after that was told", async () => {
  for (const send of ["call", "castMessage"] as const) {
    let latency = 1;
    await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: () => latency });
    const [a, b] = [cluster.node("a"), cluster.node("b")];
    const signals = patient(b);
    a.castMessage("b", "ear", 1);
    await cluster.advance(1_000);

    // It is under way for longer than the connection has its slot.
    latency = 900;
    a[send]("b", "patient", null);
    await cluster.advance(10);
    latency = 1;
    const { pool, peer } = peerAt(cluster, "b", "a");
    present(peer.at("default", 0)).mute = true;
    pool.settle(peer);
    assert(await cluster.runUntil(() => pool.draining.size > 0, 500));
    cluster.crash("a", { reset: true });
    present(peer.at("default", 0)).close();
    assert(await cluster.runUntil(() => !b.isConnected("a"), 100));
    assertEquals(signals, []);

    assert(await cluster.runUntil(() => signals.length === 1, 1_000));
    assert(await cluster.runUntil(() => firstOf(signals).aborted, 10_000));
    assertEquals(firstOf(signals).reason.name, "NotConnectedError");
  }
});

Deno.test("a handler learns that its sender is gone that was not up when it took the message", async () => {
  for (const send of ["call", "castMessage"] as const) {
    await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 1 });
    const [a, b] = [cluster.node("a"), cluster.node("b")];
    const signals = patient(b);
    a.castMessage("b", "ear", 1);
    await cluster.advance(1_000);
    const { pool, peer } = peerAt(cluster, "b", "a");
    pool.silence(peer);
    present(peer.at("default", 0)).mute = true;
    pool.revive(peer);
    a[send]("b", "patient", null);
    assert(await cluster.runUntil(() => signals.length === 1, 100));
    assert(peer.linked);
    assertFalse(peer.up);
    cluster.crash("a", { reset: true });
    assert(await cluster.runUntil(() => firstOf(signals).aborted, 10_000));
  }
});

Deno.test("a handler learns that its caller has begun another incarnation, though others have passed the call on", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 1 });
  const signals = patient(cluster.node("b"));
  cluster.cut("a", "b", { connects: "refuse" });
  cluster.reset("a", "b");
  assert(await cluster.runUntil(() => !cluster.node("b").isConnected("a")));
  cluster.node("a").call("b", "patient", null, { transitive: true });
  assert(await cluster.runUntil(() => signals.length === 1));
  cluster.crash("a", { reset: true });
  await cluster.startNode("a", { join: "c" });
  assert(await cluster.runUntil(() => firstOf(signals).aborted, 10_000));
});

Deno.test("a handler learns that its caller has begun another incarnation, though neither is in the view of the other", async () => {
  const strategies = [scampV1({ c: 0 }), hyparview({ activeSize: 2, passiveSize: 1 })];
  // The next incarnation may come by a connection with the handler's node, or another one.
  for (const [strategy, isHere] of strategies.flatMap((one) => [[one, false], [one, true]] as const)) {
    await using cluster = await SimulatedCluster.start({ nodes: 12, options: { strategy }, latency: 1 });
    await cluster.advance(30_000);
    const pairs = cluster.nodes.flatMap((from) => cluster.nodes.map((to) => [from, to] as const));
    const isApart = (from: PeerServiceManager, to: PeerServiceManager) => {
      const { pool } = PeerService.nodeOf(from);
      return from !== to && !from.member(to.name) && !to.member(from.name) && !pool.peers.has(to.name);
    };
    const [from, to] = present(pairs.find((pair) => isApart(...pair)));
    const signals = patient(to);
    from.call(to.name, "patient", null, { transitive: true });
    assert(await cluster.runUntil(() => signals.length === 1));
    cluster.crash(from.name, { reset: true });
    const join = isHere ? to.name : present(cluster.names.find((name) => name !== from.name && name !== to.name));
    await cluster.startNode(from.name, { join });
    assert(await cluster.runUntil(() => firstOf(signals).aborted, 10_000));
  }
});

Deno.test("a handler learns that its caller has left, though others have passed the call on and it came after that", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 10 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const signals = patient(b);
  cluster.cut("a", "b", { connects: "refuse" });
  cluster.reset("a", "b");
  assert(await cluster.runUntil(() => !b.isConnected("a")));
  a.call("b", "patient", null, { transitive: true });
  // The other node has it now.
  await cluster.advance(11);
  cluster.crash("a");
  b.leave("a");
  assertEquals([b.members(), signals], [["b", "c"], []]);
  assert(await cluster.runUntil(() => signals.length === 1, 100));
  assert(await cluster.runUntil(() => firstOf(signals).aborted, 10_000));
});

Deno.test("a call that others may pass on is answered though the connections with its caller broke while it was handled", async () => {
  for (const heals of [true, false]) {
    await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 1 });
    const replies: ((reply: string) => void)[] = [];
    cluster.node("b").register("slow", () => new Promise<string>((resolve) => replies.push(resolve)));
    const reply = cluster.node("a").call("b", "slow", null, { transitive: true });
    assert(await cluster.runUntil(() => replies.length === 1));
    cluster.cut("a", "b", { connects: "refuse" });
    cluster.reset("a", "b");
    assert(await cluster.runUntil(() => !cluster.node("b").isConnected("a")));
    firstOf(replies)("here");
    if (heals) cluster.heal();
    assertEquals(await cluster.wait(reply, 30_000), "here");
  }
});

Deno.test("the reply for a caller that is gone is not kept for long", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 1 });
  const signals = patient(cluster.node("b"));
  cluster.node("a").call("b", "patient", null);
  assert(await cluster.runUntil(() => signals.length === 1));
  cluster.crash("a", { reset: true });
  const { messaging: { reliableSender } } = PeerService.nodeOf(cluster.node("b"));
  assert(await cluster.runUntil(() => reliableSender.outstanding === 1));
  assert(await cluster.runUntil(() => reliableSender.outstanding === 0, 70_000));
});

Deno.test("a call that others pass on is answered where the connections of an earlier one close", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 1 });
  const replies: ((reply: string) => void)[] = [];
  cluster.node("b").register("slow", () => new Promise<string>((resolve) => replies.push(resolve)));
  cluster.cut("a", "b", { connects: "refuse" });
  cluster.reset("a", "b");
  assert(await cluster.runUntil(() => !cluster.node("b").isConnected("a")));
  const reply = cluster.node("a").call("b", "slow", null, { transitive: true });
  assert(await cluster.runUntil(() => replies.length === 1));
  cluster.heal();
  await cluster.settled();
  firstOf(replies)("here");
  assertEquals(await cluster.wait(reply), "here");
});

Deno.test("a monitor whose handler's node holds it for gone, wrongly, says that it is down, and not that it was closed", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 1 });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  b.register("ear", () => {});
  const monitor = a.monitor({ node: "b", name: "ear" });
  await cluster.advance(1_000);
  const { pool, peer } = peerAt(cluster, "b", "a");
  pool.silence(peer);
  assertEquals((await cluster.wait(monitor.down, 30_000)).reason, "down");
});
