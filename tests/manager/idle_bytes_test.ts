// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertLess } from "@std/assert";
import { fullMesh, hyparview, type Strategy } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";

const NODES = 20;
const CALM_MS = 240_000;
const WATCHED_S = 90;

/** Bytes that a node of a cluster in which nothing has happened for minutes receives per second. */
async function idleBytes(strategy: Strategy): Promise<number> {
  const nodes = Array.from({ length: NODES }, (_, index) => `n${index}`);
  await using cluster = await SimulatedCluster.start({ seed: 3, nodes, options: { strategy } });
  const bytes = () => cluster.nodes.reduce((sum, node) => sum + node.stats().bytes.in, 0);
  await cluster.advance(CALM_MS);
  const before = bytes();
  await cluster.advance(1_000 * WATCHED_S);
  return (bytes() - before) / NODES / WATCHED_S;
}

Deno.test("an idle node of an overlay receives less than 300 bytes per second", async () => {
  assertLess(await idleBytes(hyparview()), 300);
});

Deno.test("an idle node of a full mesh receives less than 200 bytes per second", async () => {
  assertLess(await idleBytes(fullMesh()), 200);
});
