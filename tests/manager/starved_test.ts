// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { SimulatedCluster } from "../../testing/mod.ts";
import { nthOf } from "../values.ts";

/** Events "down": the node that told each, and the one that it is about. */
function downs(cluster: SimulatedCluster): string[] {
  const told: string[] = [];
  for (const node of cluster.nodes) {
    node.addEventListener("down", ({ detail }) => told.push(`${node.name} ${detail.node}`));
  }
  return told;
}

/**
 * Starves the host of each node for a period: it runs for `run` milliseconds only, one host after the other. In the rest of the time its timers are
 * not called, and what others sent to it waits unread.
 */
async function starve(cluster: SimulatedCluster, period: number, run: number): Promise<void> {
  const names = cluster.nodes.map(({ name }) => name);
  const gap = period / names.length - run;
  for (const name of names) {
    await cluster.advance(gap);
    cluster.resume(name);
    await cluster.advance(run);
    cluster.pause(name);
  }
}

Deno.test("Nodes that are stopped for 7 of every 8 s hold no node for dead that is well", async () => {
  const well = ["a", "b", "c", "d"];
  const starved = ["e", "f", "g"];
  await using cluster = await SimulatedCluster.start({ nodes: [...well, ...starved] });
  const told = downs(cluster);
  for (let round = 0; round < 10; round++) {
    for (const name of starved) cluster.pause(name);
    await cluster.advance(7_000);
    for (const name of starved) cluster.resume(name);
    await cluster.advance(1_000);
  }
  assertEquals(told.filter((line) => well.includes(nthOf(line.split(" "), 1))), []);
});

Deno.test("A cluster whose hosts run for 100 of each 2,400 ms while it forms does form, and no node is held for dead", async () => {
  const names = Array.from({ length: 16 }, (_, index) => `n${index}`);
  await using cluster = await SimulatedCluster.start({ nodes: [] });
  for (const name of names) await cluster.startNode(name, { join: false });
  const told = downs(cluster);
  for (const name of names.slice(1)) cluster.node(name).join(cluster.node("n0").spec).catch(() => {});
  for (const name of names) cluster.pause(name);
  for (let slots = 0; slots < 50; slots++) await starve(cluster, 2_400, 100);
  assertEquals(cluster.nodes.map((node) => node.connected().length), names.map(() => names.length - 1));
  assertEquals(told, []);
  for (const name of names) cluster.resume(name);
});

Deno.test("A node that was starved detects a failure as fast as before once it runs again", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  for (const name of ["a", "b", "c"]) cluster.pause(name);
  for (let slots = 0; slots < 10; slots++) await starve(cluster, 2_400, 100);
  for (const name of ["a", "b", "c"]) cluster.resume(name);
  await cluster.advance(10_000);
  const told = downs(cluster);
  cluster.pause("c");
  await cluster.advance(7_000);
  assertEquals(told.sort(), ["a c", "b c"]);
  cluster.resume("c");
});
