// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertGreater, assertLess } from "@std/assert";
import { hyparview } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { present } from "../values.ts";
import { withoutFeature } from "../without_feature.ts";

/** Has a node pass the name of a newcomer on to another one. @returns Bytes of the message that it takes. */
async function passOn(isKnown: (name: string) => boolean): Promise<number> {
  const nodes = ["n1", "n2"];
  await using cluster = await SimulatedCluster.start({ seed: 1, nodes, options: { strategy: hyparview() } });
  const ways = nodes.flatMap((name) => [...PeerService.nodeOf(cluster.node(name)).pool.peers.values()]);
  for (const { membership } of ways) {
    const connection = present(membership);
    for (const feature of connection.features) if (!isKnown(feature)) withoutFeature(connection, feature);
  }
  const taken = () => present(PeerService.nodeOf(cluster.node("n2")).router.bytes[FrameKind.strategy]);
  const before = taken();
  await cluster.startNode("n3");
  assert(await cluster.runUntil(() => taken() > before));
  const bytes = taken() - before;
  assert(await cluster.runUntil(() => cluster.node("n2").isConnected("n3")));
  return bytes;
}

Deno.test("the strategy of an overlay packs specifications for a node that knows how, and for no other one", async () => {
  assertLess(await passOn(() => true), 100);
  assertGreater(await passOn((feature) => feature !== "packed"), 180);
});
