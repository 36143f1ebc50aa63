// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { decodeSnapshot } from "../../membership/snapshot_format.ts";
import { DiskCluster } from "./disk_cluster.ts";
import { present } from "../values.ts";

const NAMES = ["a", "b", "c", "d"] as const;

for (const name of ["a", "d"]) {
  Deno.test(`A node that was removed while it was away learns it, stops, and is not brought back by its store: "${name}"`, async () => {
    await using disks = await DiskCluster.start(NAMES);
    const { cluster } = disks;
    const others = NAMES.filter((other) => other !== name);
    cluster.crash(name);
    await cluster.advance(60_000);
    await cluster.wait(cluster.node("b").leave(name));
    await disks.restart(name);
    assertEquals(await cluster.runUntil(() => disks.told.length > 0, 5_000), true);
    assertEquals(disks.told, [`${name} removed`]);
    await cluster.advance(20_000);
    assertEquals(disks.members(), Object.fromEntries(others.map((other) => [other, others.join(" ")])));

    // The next incarnation begins alone, until it is told to join.
    cluster.world.crash(name);
    const [again] = await disks.restart(name);
    await cluster.advance(20_000);
    assertEquals([again.members(), cluster.node("b").members()], [[name], others]);
    await cluster.wait(again.syncJoin(cluster.node("b").spec, { signal: new AbortController().signal }));
    await cluster.settled();
    await cluster.advance(20_000);
    assertEquals(disks.told, [`${name} removed`]);

    // And what it has joined then, it finds again.
    cluster.crash(name);
    await cluster.advance(20_000);
    await disks.restart(name);
    assertLessOrEqual(await cluster.settled(), 4_000);
    assertEquals(disks.told, [`${name} removed`]);
  });
}

Deno.test("A removed node learns it although it first meets one that has not heard of it", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  for (const name of ["a", "b"]) cluster.crash(name);
  await cluster.advance(60_000);
  await cluster.wait(cluster.node("c").leave("a"));
  // Neither has b heard of it, as its disk is of before.
  cluster.cut(["a", "b"]);
  await disks.restart("a", "b");
  await cluster.advance(10_000);
  assertEquals(disks.members(), { a: "a b c d", b: "a b c d", c: "b c d", d: "b c d" });
  cluster.heal();
  assertEquals(await cluster.runUntil(() => disks.told.length > 0, 20_000), true);
  assertEquals(disks.told, ["a removed"]);
  await cluster.settled();
  await cluster.advance(20_000);
  assertEquals(disks.members(), { b: "b c d", c: "b c d", d: "b c d" });
});

Deno.test("A removed node learns it although all restart at once", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  cluster.crash("a");
  await cluster.wait(cluster.node("c").leave("a"));
  for (const name of ["b", "c", "d"]) cluster.crash(name);
  await disks.restart(...NAMES);
  assertEquals(await cluster.runUntil(() => disks.told.length > 0, 5_000), true);
  await cluster.settled();
  assertEquals([disks.told, disks.members()], [["a removed"], { b: "b c d", c: "b c d", d: "b c d" }]);
});

Deno.test("A node that restarted more than once since it joined learns that it was removed", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  cluster.crash("a");
  await cluster.wait(cluster.node("c").leave("a"));
  for (let incarnation = 0; incarnation < 3; incarnation++) {
    // No node is there to tell it.
    cluster.cut(["b", "c", "d"], ["a"], { connects: "refuse" });
    await disks.restart("a");
    await cluster.advance(10_000);
    cluster.crash("a");
  }
  cluster.heal();
  await disks.restart("a");
  await cluster.advance(10_000);
  assertEquals([disks.told, disks.members()], [["a removed"], { b: "b c d", c: "b c d", d: "b c d" }]);
});

Deno.test("A node that was removed while it ran stops, and its store does not bring it back", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  await cluster.wait(cluster.node("b").leave("a"));
  await cluster.advance(5_000);
  assertEquals(disks.told, ["a removed"]);
  assertEquals(decodeSnapshot(present(disks.disk("a").bytes)).since, null);
  cluster.world.crash("a");
  const [node] = await disks.restart("a");
  await cluster.advance(20_000);
  assertEquals([node.members(), disks.told], [["a"], ["a removed"]]);
});

Deno.test("leave() resolves once the members are off the disk: a node that left restarts alone", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  const former = cluster.node("b").spec.incarnation;
  await cluster.wait(cluster.node("b").leave());
  assertEquals(decodeSnapshot(present(disks.disk("b").bytes)).incarnation, cluster.node("b").spec.incarnation);
  cluster.crash("b");
  const [node] = await disks.restart("b");
  assertEquals(node.members(), ["b"]);
  assertEquals(node.spec.incarnation > former + 1, true);
  await cluster.advance(20_000);
  assertEquals(disks.members(), { a: "a c d", c: "a c d", d: "a c d", b: "b" });
  assertEquals(disks.told, []);
});

Deno.test("A node that left and restarted is not drawn in by one that has not heard of it", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  cluster.cut(["d"], ["a", "b", "c"]);
  await cluster.wait(cluster.node("b").leave());
  for (let incarnation = 0; incarnation < 2; incarnation++) {
    cluster.crash("b");
    await disks.restart("b");
  }
  cluster.heal();
  await cluster.advance(30_000);
  assertEquals(disks.members(), { a: "a c d", c: "a c d", d: "a c d", b: "b" });
});

Deno.test("A node that left and joined again goes on with what it joined", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  cluster.crash("b");
  await disks.restart("b");
  await cluster.settled();
  await cluster.wait(cluster.node("b").leave());
  await cluster.wait(cluster.node("b").syncJoin(cluster.node("a").spec, { signal: new AbortController().signal }));
  await cluster.settled();
  cluster.crash("b");
  await disks.restart("b");
  await cluster.settled();
  await cluster.advance(20_000);
  assertEquals(disks.told, []);
});

for (const moment of [0.5, 2, 4, 6, 8, 10]) {
  Deno.test(`A node that crashes ${moment} ms after it began to leave is a member afterwards, or is none and knows it`, async () => {
    await using disks = await DiskCluster.start(NAMES);
    const { cluster } = disks;
    cluster.node("b").leave();
    await cluster.advance(moment);
    cluster.crash("b");
    await disks.restart("b");
    await cluster.advance(30_000);
    const others = cluster.node("a").members();
    for (const name of ["c", "d"]) assertEquals(cluster.node(name).members(), others);
    if (others.includes("b")) assertEquals(cluster.node("b").members(), others);
    else if (cluster.has("b")) assertEquals(cluster.node("b").members(), ["b"]);
    else assertEquals(disks.told, ["b removed"]);
  });
}
