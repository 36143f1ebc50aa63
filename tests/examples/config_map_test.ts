// Copyright 2026 the Partisan peer-service authors. MIT license.

import { memoryStore, SimulatedCluster } from "@partisan/peer-service/testing";
import { assertEquals } from "@std/assert";
import { Config } from "../../examples/config_map.ts";

Deno.test("A setting that one node changes is followed by all, and outlives them in the store", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const store = memoryStore();
  const [a, b] = [new Config(cluster.node("a"), { store }), new Config(cluster.node("b"))];
  const limits: number[] = [];
  const followed = b.follow("limit", 100, (limit) => limits.push(limit));
  await cluster.advance(2_000);
  a.map.set("limit", 50).set("other", "x");
  await cluster.advance(3_000);
  assertEquals([limits, a.get("limit", 7), b.get("other", "")], [[100, 50], 50, "x"]);
  for (const name of ["a", "b"]) await cluster.stopNode(name);
  await followed;
  const again = new Config(await cluster.startNode("c"), { store });
  await cluster.wait(again.map.ready);
  assertEquals(again.get("other", ""), "x");
});
