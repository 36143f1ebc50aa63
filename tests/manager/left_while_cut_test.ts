// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { fullMesh, hyparview, scampV1, scampV2 } from "@partisan/peer-service/strategy";
import { SimulatedCluster } from "@partisan/peer-service/testing";

const strategies = [fullMesh, hyparview, scampV1, scampV2];
const NAMES = ["a", "b", "c"];

for (const strategy of strategies) {
  Deno.test(`Over ${strategy.name}, a node that left while it was cut off is not taken back by those that have not heard of it`, async () => {
    await using cluster = await SimulatedCluster.start({ nodes: NAMES, options: { strategy: strategy() } });
    const [a, c] = [cluster.node("a"), cluster.node("c")];
    const members = () => cluster.nodes.map((node) => node.members().join(" "));
    cluster.cut("c");
    const left = c.leave();
    await cluster.advance(10_000);
    await cluster.wait(left);
    assertEquals(c.members(), ["c"]);
    cluster.heal();
    await cluster.advance(180_000);
    assertEquals(members(), ["a b", "a b", "c"]);

    // What it left before is no obstacle to joining again.
    await cluster.wait(c.syncJoin(a.spec));
    await cluster.settled();
    await cluster.advance(60_000);
    assertEquals(members(), ["a b c", "a b c", "a b c"]);
  });
}
