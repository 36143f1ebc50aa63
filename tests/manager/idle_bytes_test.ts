// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertLess } from "@std/assert";
import { fullMesh, hyparview, type Strategy } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";

const NODES = 20;
/** A time at which a cluster is calm, and the time for which it is watched then, in milliseconds. */
const CALM = [240_000, 90_000] as const;
/** The same of one that has just formed. */
const YOUNG = [5_000, 10_000] as const;

/** Bytes that a node of a cluster in which nothing happens receives per second. */
async function idleBytes(strategy: Strategy, [begin, watched]: readonly [number, number]): Promise<number> {
  const nodes = Array.from({ length: NODES }, (_, index) => `n${index}`);
  await using cluster = await SimulatedCluster.start({ seed: 3, nodes, options: { strategy } });
  const bytes = () => cluster.nodes.reduce((sum, node) => sum + node.stats().bytes.in, 0);
  await cluster.advance(begin);
  const before = bytes();
  await cluster.advance(watched);
  return (bytes() - before) / NODES / (watched / 1_000);
}

Deno.test("an idle node of an overlay that has just formed receives less than 300 bytes per second", async () => {
  assertLess(await idleBytes(hyparview(), YOUNG), 300);
});

Deno.test("an idle node of an overlay in which nothing has happened for minutes receives less than 100 bytes per second", async () => {
  assertLess(await idleBytes(hyparview(), CALM), 100);
});

Deno.test("an idle node of a full mesh receives less than 200 bytes per second", async () => {
  assertLess(await idleBytes(fullMesh(), CALM), 200);
});
