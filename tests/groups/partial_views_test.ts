// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Groups over strategies with which no node knows all others: members are known everywhere by attributes, and reached over others. */

import { assert, assertEquals } from "@std/assert";
import { Groups } from "../../groups/mod.ts";
import { hyparview } from "../../mod.ts";
import { Placement } from "../../placement/mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { rendezvous } from "../../wire/rendezvous.ts";
import { firstOf, nthOf, present } from "../values.ts";

/** A cluster of 50 nodes at rest, of which each knows a part. */
async function partial(): Promise<SimulatedCluster> {
  const cluster = await SimulatedCluster.start({ nodes: 50, options: { strategy: hyparview() } });
  await cluster.advance(30_000);
  return cluster;
}

Deno.test("Groups made late know members that joined before, on nodes that this one does not know as well", async () => {
  await using cluster = await partial();
  const members = cluster.nodes.slice(0, 30);
  for (const node of members) new Groups(node).join("g");
  await cluster.advance(15_000);
  const names = members.map(({ name }) => name).sort();
  for (const node of cluster.nodes) {
    assert(node.members().length < 40, `${node.name} knows ${node.members().length} nodes`);
    assertEquals(new Groups(node).members("g").map((entry) => entry.node), names, node.name);
  }
});

Deno.test("A node that asks for a task late runs it no second time, though it does not know the node that runs it", async () => {
  await using cluster = await partial();
  for (const node of cluster.nodes) new Groups(node).join("g");
  await cluster.advance(15_000);
  // A task that falls to a node which the next in line does not know.
  const all = cluster.names.map((name) => ({ name, weight: 1 }));
  const lines = Array.from(
    { length: 100 },
    (_, index) => ({ task: `t${index}`, order: rendezvous(`t${index}`, all, 2) }),
  );
  const { task, order } = present(lines.find(({ order: [first, second] }) => {
    return !cluster.node(present(second).name).member(present(first).name);
  }));
  const late = nthOf(order, 1).name;
  const running = new Set<string>();
  const ask = (name: string) => {
    new Placement(cluster.node(name), { group: "g" }).runOnOne(task, async (signal) => {
      running.add(name);
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      running.delete(name);
    });
  };
  for (const name of cluster.names) if (name !== late) ask(name);
  await cluster.advance(15_000);
  assertEquals([...running], [firstOf(order).name]);
  ask(late);
  await cluster.advance(15_000);
  assertEquals([...running], [firstOf(order).name]);
});
