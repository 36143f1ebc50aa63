// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { hasQuorum } from "../../manager/evicting.ts";
import { type Discovery, hyparview, startPeerService } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";

const HOUR = 3_600_000;

Deno.test("hasQuorum() asks for a majority unless told otherwise", () => {
  assert(hasQuorum(3, 5, undefined) && !hasQuorum(2, 4, undefined) && hasQuorum(1, 1, undefined));
  assert(hasQuorum(1, 9, 1) && hasQuorum(1, 9, 0) && !hasQuorum(2, 9, 3));
});

Deno.test("60 nodes with random names that replace each other one by one leave no members behind, and no node that is dialed", async () => {
  await using cluster = await SimulatedCluster.start({
    nodes: ["p0", "p1", "p2", "p3"],
    options: { evict: { after: 30_000 } },
  });
  const dials = () => cluster.nodes.reduce((all, node) => all + node.stats().connections.dials, 0);
  const dialed: number[] = [];
  let most = 0;
  for (let replaced = 0; replaced < 60; replaced++) {
    cluster.crash(`p${replaced}`);
    await cluster.startNode(`p${replaced + 4}`);
    const before = dials();
    await cluster.advance(20_000);
    dialed.push(dials() - before);
    most = Math.max(most, cluster.node(`p${replaced + 4}`).members().length);
  }
  await cluster.advance(60_000);
  assertEquals(cluster.node("p63").members(), ["p60", "p61", "p62", "p63"]);
  assert(most <= 8, `${most} members at a time`);
  assert(Math.max(...dialed.slice(30)) <= Math.max(...dialed.slice(0, 30)), `dials after each: ${dialed}`);
  const before = dials();
  await cluster.advance(600_000);
  assertEquals(dials() - before, 0, "dials to those that are gone");
});

Deno.test("A minority does not evict the majority, which evicts it; all are one again after the cut", async () => {
  const nodes = ["a", "b", "c", "d", "e"];
  await using cluster = await SimulatedCluster.start({ nodes, options: { evict: { after: 60_000 } } });
  const evicted: string[] = [];
  for (const node of cluster.nodes) {
    node.addEventListener("evicted", ({ detail }) => evicted.push(`${node.name} ${detail.node}`));
  }
  cluster.cut(["a", "b"], ["c", "d", "e"]);
  await cluster.advance(120_000);
  assertEquals(cluster.node("a").members(), nodes);
  assertEquals(cluster.node("c").members(), ["c", "d", "e"]);
  assert(evicted.length > 0 && evicted.every((line) => /^[cde] [ab]$/.test(line)), evicted.join());
  cluster.heal();
  await cluster.settled();
  for (const node of cluster.nodes) assertEquals(node.members(), nodes);
});

Deno.test("A laptop that sleeps for an hour and was evicted comes back by itself", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], options: { evict: { after: 60_000 } } });
  const before = cluster.node("c").spec.incarnation;
  cluster.pause("c");
  await cluster.advance(HOUR);
  assertEquals(cluster.node("a").members(), ["a", "b"]);
  cluster.resume("c");
  await cluster.settled();
  assertEquals(cluster.node("a").members(), ["a", "b", "c"]);
  assert(cluster.node("c").spec.incarnation > before);
});

Deno.test("Two halves that evicted each other become one through discovery", async () => {
  const nodes = ["a", "b", "c", "d"];
  const addresses = nodes.map((hostname) => ({ hostname, port: 9_090 }));
  const discovery: Discovery = { name: "known", lookup: () => Promise.resolve(addresses) };
  const options = { evict: { after: 30_000, quorum: 0 }, discovery };
  await using cluster = await SimulatedCluster.start({ nodes, options });
  cluster.cut(["a", "b"], ["c", "d"]);
  await cluster.advance(120_000);
  assertEquals(cluster.node("a").members(), ["a", "b"]);
  assertEquals(cluster.node("d").members(), ["c", "d"]);
  cluster.heal();
  await cluster.advance(120_000);
  await cluster.settled();
  for (const node of cluster.nodes) assertEquals(node.members(), nodes);
});

Deno.test("A node that leave(node) removed does not come back although evictions do", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], options: { evict: { after: 60_000 } } });
  let isRemoved = false;
  cluster.node("c").addEventListener("removed", () => isRemoved = true);
  await cluster.wait(cluster.node("a").leave("c"));
  await cluster.advance(60_000);
  assert(isRemoved);
  assertEquals(cluster.node("a").members(), ["a", "b"]);
});

Deno.test("startPeerService() refuses an eviction that makes no sense", async () => {
  await assertRejects(async () => await startPeerService({ evict: { after: 5 } }), RangeError, "evict.after");
  await assertRejects(
    async () => await startPeerService({ evict: { after: 5_000, quorum: -1 } }),
    RangeError,
    "evict.quorum",
  );
});

Deno.test("The option evict does nothing where no node keeps connections with all, and a warning says so once", async () => {
  const warnings: string[] = [];
  await using cluster = await SimulatedCluster.start({
    nodes: ["a", "b", "c"],
    options: (name) => ({
      strategy: hyparview(),
      evict: { after: 5_000 },
      log: ({ kind, message }) => void (kind === "cannot-evict" && warnings.push(`${name}: ${message}`)),
    }),
  });
  await cluster.advance(2_000);
  cluster.crash("c");
  await cluster.advance(30_000);
  assertEquals(cluster.node("a").members(), ["a", "b", "c"]);
  const message = 'The option "evict" does nothing with the strategy "hyparview": ' +
    "only where every node keeps connections with all others can it be told which members are down";
  assertEquals(warnings.sort(), ["a", "b", "c"].map((name) => `${name}: ${message}`));
});
