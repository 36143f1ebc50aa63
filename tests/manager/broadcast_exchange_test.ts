// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertGreater, assertLess } from "@std/assert";
import { hyparview } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { nthOf } from "../values.ts";

const NODES = 60;
const BROADCASTS = 20;

Deno.test("a broadcast is everywhere before anything is announced while an overlay exchanges neighbours", async () => {
  let heard = 0;
  let exchanged = 0;
  await using cluster = await SimulatedCluster.start({
    seed: 1,
    nodes: NODES,
    options: { strategy: hyparview() },
    setup: (node) => {
      node.register("news", () => void heard++);
      node.addEventListener("down", ({ detail }) => void (exchanged += detail.channel === undefined ? 1 : 0));
    },
  });
  let took = 0;
  for (let count = 0; count < BROADCASTS; count++) {
    await cluster.advance(2_000);
    heard = 0;
    const sentAt = cluster.now;
    nthOf(cluster.nodes, 3 * count).broadcast("news", count);
    await cluster.runUntil(() => heard === NODES);
    took = Math.max(took, cluster.now - sentAt);
  }
  assertGreater(exchanged, 4 * BROADCASTS);
  assertLess(took, 200);
});
