// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { Address, NodeSpec, PeerServiceManager } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import type { SimulatedNodeOptions } from "../../testing/simulated_cluster_options.ts";
import { firstOf } from "../values.ts";

const NAMES = ["a", "b", "c", "d", "e"];
const SEEDS = 30;
const SECRET = "kEkxBVYPVbpCHzsfvxMOWKHsrZCPFcVW";

/** Ways in which the nodes join each other: by their specifications, or by addresses at which they expect any node. */
const ways: readonly (readonly [string, SimulatedNodeOptions, (node: PeerServiceManager) => NodeSpec | Address])[] = [
  ["by specifications", {}, ({ spec }) => spec],
  ["by addresses", {}, ({ spec }) => firstOf(spec.addresses)],
  ["by addresses with a secret", { secret: SECRET }, ({ spec }) => firstOf(spec.addresses)],
];

for (const [way, options, target] of ways) {
  Deno.test(`nodes that all join each other at once ${way} are up once, and never down`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      await using cluster = new SimulatedCluster({ seed, options });
      const told: string[] = [];
      for (const name of NAMES) {
        const node = await cluster.startNode(name, { join: false });
        node.onUp("*", (other, channel) => void (channel === undefined && told.push(`${name} up ${other}`)));
        node.onDown("*", (other, channel) => void (channel === undefined && told.push(`${name} down ${other}`)));
      }
      const joins = cluster.nodes.flatMap((node) =>
        cluster.nodes.filter((other) => other !== node).map((other) => node.join(target(other)))
      );
      await cluster.wait(Promise.all(joins));
      await cluster.settled();
      const expected = NAMES.flatMap((name) =>
        NAMES.filter((other) => other !== name).map((other) => `${name} up ${other}`)
      );
      assertEquals(told.sort(), expected.sort(), `seed ${seed}`);
    }
  });
}
