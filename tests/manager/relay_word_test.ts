// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";

Deno.test("a relayed message that ends on its way is told by undeliverable at its origin, one that arrives is not", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c", "d"], options: { preset: "lan" } });
  const heard: unknown[] = [];
  cluster.node("d").register("ear", (message) => void heard.push(message));
  const a = cluster.node("a");
  const told: string[] = [];
  a.addEventListener("undeliverable", ({ detail: { node, name, reason } }) => told.push(`${node} ${name}: ${reason}`));
  cluster.cut("a", "d");
  await cluster.advance(20_000);
  a.castMessage("d", "ear", 1, { transitive: true });
  await cluster.wait(a.forwardMessage("d", "ear", 2, { transitive: true }));
  await cluster.advance(20_000);
  assertEquals([heard, told], [[1, 2], []]);

  cluster.cut(["b", "c"], "d");
  await cluster.advance(20_000);
  const { dropped } = a.stats().messages;
  a.castMessage("d", "ear", 3, { transitive: true });
  await cluster.advance(8_000);
  assertEquals(heard, [1, 2]);
  assertEquals(told, ["d ear: It was relayed, and no word came that it has arrived"]);
  assertEquals(a.stats().messages.dropped, dropped + 1);
});

Deno.test("a relayed message that ends on its way is told by undeliverable although its origin leaves meanwhile", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], options: { preset: "lan" } });
  const a = cluster.node("a");
  const told: string[] = [];
  a.addEventListener("undeliverable", ({ detail: { node, name } }) => told.push(`${node} ${name}`));
  cluster.cut(["a", "b"], "c");
  await cluster.advance(20_000);
  a.castMessage("c", "ear", 1, { transitive: true });
  await cluster.advance(100);
  await cluster.wait(a.leave());
  await cluster.advance(8_000);
  assertEquals(told, ["c ear"]);
});
