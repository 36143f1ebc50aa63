// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SimulatedCluster } from "@partisan/peer-service/testing";
import { assert, assertEquals } from "@std/assert";
import { cron } from "../../examples/cron.ts";

Deno.test("Cron runs each time once, on one node, and on another with a higher token when that dies", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  const runs: { node: string; time: number; token: number }[] = [];
  for (const node of cluster.nodes) {
    cron(node, "sweep", 10_000, (time, token) => void runs.push({ node: node.name, time: time.getTime(), token }));
  }
  await cluster.advance(60_000);
  const [first] = runs;
  cluster.crash(first?.node ?? "");
  await cluster.advance(60_000);
  assertEquals(runs.map(({ time }) => time), [...new Set(runs.map(({ time }) => time))]);
  assert(runs.length >= 9 && runs.every(({ time }) => time % 10_000 === 0), `${runs.length} runs`);
  const [owners, tokens] = [new Set(runs.map(({ node }) => node)), new Set(runs.map(({ token }) => token))];
  assertEquals([owners.size, [...tokens]], [2, [...tokens].sort((a, b) => a - b)]);
});
