// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { SimulatedCluster } from "../../testing/mod.ts";
import type { ByteStream } from "../../mod.ts";

for (const secret of [undefined, "a secret that is long enough"]) {
  const kind = secret === undefined ? "an open cluster" : "one with a secret";
  Deno.test(`2,000 silent connections from one host hold up neither a newcomer nor the members of ${kind}`, async () => {
    const options = secret === undefined ? {} : { secret };
    await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], options });
    const downs: string[] = [];
    for (const node of cluster.nodes) node.onDown("*", (name) => downs.push(`${node.name} ${name}`));
    const { transport } = cluster.world.node("evil");
    const open = () => transport.connect({ hostname: "a", port: 9_090 });
    const silent: ByteStream[] = await cluster.wait(Promise.all(Array.from({ length: 2_000 }, open)));
    const before = cluster.now;
    await cluster.wait(cluster.startNode("d"));
    await cluster.wait(cluster.node("d").syncJoin({ hostname: "a", port: 9_090 }));
    assert(cluster.now - before < 1_000, `joining took ${cluster.now - before} ms`);
    await cluster.settled();
    await cluster.advance(10_000);
    assertEquals(downs, []);
    assert(cluster.node("a").stats().connections.overloaded > 0);
    for (const stream of silent) stream.close();
  });
}
