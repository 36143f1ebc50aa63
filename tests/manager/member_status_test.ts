// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { hyparview, type PartitionDetail, staticOverlay } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { scenario } from "./worlds.ts";
import { entryOf, present } from "../values.ts";

scenario("members() with a status and memberInfo() tell who can be reached, since when and why", async (world) => {
  const before = Date.now();
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  b.setAttribute("load", 0.5);
  await world.until("a knows", () => a.attribute("b", "load") === 0.5);
  assertEquals(a.members({ status: "up" }), ["a", "b", "c"]);
  const up = present(a.memberInfo(b.spec));
  assertEquals(up.spec, a.membersForOrchestration()[1]);
  assertEquals([up.status, up.reason, up.lastError], ["up", "it is connected", null]);
  assertEquals([up.addresses, [...up.attributes]], [b.spec.addresses, [["load", 0.5]]]);
  if (world.kind === "TCP") assert(up.since >= before && up.since <= Date.now());
  assertEquals(present(a.memberInfo("a")).status, "up");
  await c.stop();
  await world.until("a has seen it, and dialed in vain", () => present(a.memberInfo("c")).lastError !== null);
  const down = present(a.memberInfo("c"));
  assertEquals([down.status, a.members({ status: "down" })], ["down", ["c"]]);
  assert(down.since >= up.since);
  assertStringIncludes(down.reason, "its last connection");
  assert(down.lastError instanceof Error);
  await a.leave("c");
  assertEquals([a.memberInfo("c"), a.memberInfo("nobody")], [undefined, undefined]);
});

scenario("memberInfo() tells of a suspicion, of its end, and of missed heartbeats", async (world) => {
  const [a, b] = await world.cluster(["a", "b", "c"]);
  world.simulated.pause("c");
  await world.until("it is suspect", () => present(a.memberInfo("c")).status === "suspect");
  assertEquals(present(a.memberInfo("c")).reason, "it was not heard for 1000 ms");
  assertEquals(a.members({ status: "suspect" }), ["c"]);
  await world.until(
    "it is down",
    () => present(a.memberInfo("c")).status === "down" && present(b.memberInfo("c")).status === "down",
  );
  assertEquals(present(a.memberInfo("c")).reason, "it missed its heartbeats");
  world.simulated.resume("c");
  await world.until("it is up", () => present(a.memberInfo("c")).status === "up");
}, ["memory"]);

Deno.test("A neighbour that the overlay exchanged for another one is not down; one that stops or dies is", async () => {
  const nodes = Array.from({ length: 30 }, (_, index) => `n${index}`);
  await using cluster = await SimulatedCluster.start({ seed: 3, nodes, options: { strategy: hyparview() } });
  const told: string[] = [];
  for (const node of cluster.nodes) {
    node.addEventListener("down", ({ detail }) => {
      const { status, reason } = node.memberInfo(detail.node) ?? { status: "unknown" };
      if (status !== "unknown" && detail.channel === undefined) told.push(`${status}: ${reason}`);
    });
  }
  await cluster.advance(60_000);
  const exchanged = told.splice(0);
  assertGreater(exchanged.length, 10, "the overlay exchanged no neighbours");
  assertEquals(new Set(exchanged), new Set(["up: others know it; this node keeps no connection"]));
  for (const node of cluster.nodes) assertEquals(node.members({ status: "down" }), []);

  await cluster.wait(cluster.node("n7").stop());
  cluster.crash("n8");
  await cluster.advance(30_000);
  const reasons = new Set(told);
  for (const reason of ["its last connection closed", "it missed its heartbeats"]) {
    assert(reasons.has(`down: ${reason}`), `no node told that ${reason}`);
  }
});

Deno.test("A node is not down because a connection breaks that both nodes are about to close", async () => {
  const strategy = staticOverlay([["a", "b"], ["b", "c"], ["c", "a"]]);
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], options: { strategy } });
  const [a, c] = [cluster.node("a"), cluster.node("c")];
  assert(await cluster.runUntil(() => a.isConnected("c") && c.isConnected("a")));
  // The strategy itself wants the three of them in its next round.
  for (const node of [a, c]) PeerService.nodeOf(node).pool.want([cluster.node("b").spec]);
  await cluster.advance(10);
  assertEquals([a.isConnected("c"), c.isConnected("a")], [true, true]);
  cluster.reset("a", "c");
  assert(await cluster.runUntil(() => !a.isConnected("c") && !c.isConnected("a")));
  for (const info of [a.memberInfo("c"), c.memberInfo("a")]) {
    assertEquals([info?.status, info?.reason], ["up", "others know it; this node keeps no connection"]);
  }
});

Deno.test("A node that the overlay wants no more is not down because a router has forgotten the connections that lingered", async () => {
  const strategy = staticOverlay([["a", "b"], ["b", "c"]]);
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], options: { strategy } });
  const [a, b, c] = [cluster.node("a"), cluster.node("b"), cluster.node("c")];
  PeerService.nodeOf(c).pool.want([a.spec, b.spec]);
  assert(await cluster.runUntil(() => a.isConnected("c") && c.isConnected("a")));
  cluster.forget("a", "c");
  // The word of it is lost.
  PeerService.nodeOf(c).pool.want([b.spec]);
  assert(await cluster.runUntil(() => !a.isConnected("c") && !c.isConnected("a")));
  for (const info of [a.memberInfo("c"), c.memberInfo("a")]) {
    assertEquals([info?.status, info?.reason], ["up", "others know it; this node keeps no connection"]);
  }
});

scenario("membershipVersion rises with each change of the membership, and with nothing else", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const version = a.membershipVersion;
  world.breakConnections("a");
  await world.settled([a, b]);
  assertEquals(a.membershipVersion, version);
  await b.leave();
  await world.until("it has left", () => a.members().length === 1);
  assert(a.membershipVersion > version);
});

Deno.test("Both sides of a split are told by a partition event, and again when it has healed", async () => {
  await using cluster = await SimulatedCluster.start({ seed: 5, nodes: 5 });
  const { nodes } = cluster;
  const told = new Map<string, PartitionDetail[]>();
  for (const node of nodes) {
    told.set(node.name, []);
    node.addEventListener("partition", ({ detail }) => entryOf(told, node.name).push(detail));
  }
  const known = nodes.map(({ name }) => name).sort();
  const [left, right] = [known.slice(0, 2), known.slice(2)];
  cluster.cut(left, right);
  await cluster.advance(20_000);
  for (const name of left) assertEquals(told.get(name), [{ seen: left, known, majority: false }], name);
  for (const name of right) assertEquals(told.get(name), [{ seen: right, known, majority: true }], name);
  cluster.heal();
  await cluster.advance(30_000);
  for (const name of known) assertEquals(entryOf(told, name).at(-1), { seen: known, known, majority: true }, name);
});

scenario("monitorNodes() leaves nothing behind when it ends", async (world) => {
  const a = await world.start("a");
  const stopping = PeerService.nodeOf(a).context.untilStopped(undefined);
  const { signal } = new AbortController();
  let listeners = 0;
  for (const each of [stopping, signal]) {
    const [add, remove] = [each.addEventListener.bind(each), each.removeEventListener.bind(each)];
    each.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    each.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
  }
  for (let use = 0; use < 100; use++) await present(a.monitorNodes({ signal }).return?.());
  assertEquals(listeners, 0);
});
