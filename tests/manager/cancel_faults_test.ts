// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { EncodeError, NotConnectedError, PartitionedError } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { useChannels } from "../use_channels.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { entryOf, firstOf, present } from "../values.ts";

/** Milliseconds after which a word that was not answered has been said again, over another connection. */
const SAID_AGAIN_MS = 2_500;

/** A cluster of `a` and `b`, where a handler of `b` goes on until its signal is aborted. */
async function patientCluster(): Promise<{ cluster: SimulatedCluster; signals: AbortSignal[] }> {
  const cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 2, options: { preset: "lan" } });
  const signals: AbortSignal[] = [];
  cluster.node("b").register("patient", (_, { signal }) => {
    signals.push(signal);
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(null)));
  });
  return { cluster, signals };
}

/** Begins a call, which may be given up later, and waits until it is being handled. */
async function begin(cluster: SimulatedCluster, signals: AbortSignal[]): Promise<{ giveUp: () => Promise<Error> }> {
  const controller = new AbortController();
  const before = signals.length;
  const call = assertRejects(
    () => cluster.node("a").call("b", "patient", null, { signal: controller.signal }),
    Error,
    "Enough",
  );
  await cluster.runUntil(() => signals.length > before, 1_000);
  return {
    giveUp: () => {
      controller.abort(new Error("Enough"));
      return call;
    },
  };
}

Deno.test("a handler learns that its call was given up while a partition kept the word of it back, which the caller knew nothing of", async () => {
  const { cluster, signals } = await patientCluster();
  await using _ = cluster;
  const { giveUp } = await begin(cluster, signals);
  const b = PeerService.nodeOf(cluster.node("b"));
  b.pool.separate(entryOf(b.pool.peers, "a"), true);
  await giveUp();
  await cluster.advance(500);
  assert(!firstOf(signals).aborted);
  b.pool.separate(entryOf(b.pool.peers, "a"), false);
  await cluster.advance(SAID_AGAIN_MS);
  assert(firstOf(signals).aborted);
});

Deno.test("a handler learns that its call was given up though the membership connection carries nothing any more, long before that is found out", async () => {
  const { cluster, signals } = await patientCluster();
  await using _ = cluster;
  const { giveUp } = await begin(cluster, signals);
  await cluster.runUntil(() => useChannels(cluster.node("a")) && useChannels(cluster.node("b")), 1_000);
  await cluster.advance(10);
  // The first that was opened.
  cluster.forget("a", "b", 0);
  const { openedAt } = membership();
  await giveUp();
  await cluster.advance(SAID_AGAIN_MS);
  assert(firstOf(signals).aborted);
  assertEquals(membership().openedAt, openedAt);

  function membership() {
    return present(entryOf(PeerService.nodeOf(cluster.node("a")).pool.peers, "b").membership);
  }
});

Deno.test("the word that a call was given up is said once where it comes, and not kept", async () => {
  const { cluster, signals } = await patientCluster();
  await using _ = cluster;
  const { messaging } = PeerService.nodeOf(cluster.node("a"));
  for (let i = 0; i < 100; i++) {
    const { giveUp } = await begin(cluster, signals);
    await giveUp();
    assertEquals(messaging.cancellations.waiting, 1);
    await cluster.advance(100);
    assertEquals(messaging.cancellations.waiting, 0);
  }
  assert(signals.every(({ aborted }) => aborted));
});

Deno.test("a handler learns that its caller has crashed, once that is found out", async () => {
  const { cluster, signals } = await patientCluster();
  await using _ = cluster;
  const { giveUp } = await begin(cluster, signals);
  cluster.crash("a");
  await cluster.advance(1_000);
  assert(!firstOf(signals).aborted);
  assert(await cluster.runUntil(() => firstOf(signals).aborted, 30_000));
  assertEquals(firstOf(signals).reason.name, "NotConnectedError");
  await giveUp();
});

Deno.test("the word that a call was given up is passed on by others where there is no direct connection", async () => {
  const cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 2, options: { preset: "lan" } });
  await using _ = cluster;
  const signals: AbortSignal[] = [];
  cluster.node("b").register("patient", (_, { signal }) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  cluster.cut("a", "b");
  await cluster.advance(20_000);
  const controller = new AbortController();
  const options = { signal: controller.signal, transitive: true };
  const call = assertRejects(() => cluster.node("a").call("b", "patient", null, options), Error, "Enough");
  await cluster.runUntil(() => signals.length === 1, 10_000);
  controller.abort(new Error("Enough"));
  await call;
  await cluster.advance(100);
  assert(firstOf(signals).aborted);
});

Deno.test("callAll() that is aborted tells so for each node, and every handler that is at it is told", async () => {
  const cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 2 });
  await using _ = cluster;
  const signals: AbortSignal[] = [];
  for (const node of cluster.nodes) {
    node.register("patient", (_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
  }
  const controller = new AbortController();
  const { signal } = controller;
  const calls = cluster.node("a").callAll("patient", null, { signal });
  await cluster.runUntil(() => signals.length === 3, 1_000);
  const reason = new Error("Enough");
  controller.abort(reason);
  assertEquals([...await calls], ["a", "b", "c"].map((node) => [node, { status: "rejected", reason }]));
  await cluster.advance(100);
  assertEquals(signals.map(({ aborted }) => aborted), [true, true, true]);
});

Deno.test("a handler learns that its call has failed whose request was handed over, and not acknowledged by then", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency: 50 });
  const signals: AbortSignal[] = [];
  cluster.node("b").register("patient", (_, { signal }) => {
    signals.push(signal);
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(null)));
  });
  const { messaging } = PeerService.nodeOf(cluster.node("a"));
  const call = assertRejects(() => cluster.node("a").call("b", "patient", null), NotConnectedError, "not a member");
  assert(await cluster.runUntil(() => signals.length === 1, 1_000));
  // As when the former incarnation of a node is gone, and others have passed the call on to the next one.
  messaging.reliableSender.lost("b");
  await call;
  await cluster.advance(100);
  assert(firstOf(signals).aborted);
});

Deno.test("a call that was never sent leaves no word to say that it was given up", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const [a, { messaging, pool }] = [cluster.node("a"), PeerService.nodeOf(cluster.node("a"))];
  await assertRejects(() => a.call("nowhere", "ear", 1), NotConnectedError);
  await assertRejects(() => a.call("b", "ear", () => {}), EncodeError);
  pool.separate(entryOf(pool.peers, "b"), true);
  await assertRejects(() => a.call("b", "ear", 1), PartitionedError);
  assertEquals(messaging.cancellations.waiting, 0);
});
