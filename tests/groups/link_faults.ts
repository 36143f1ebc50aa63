// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { SimulatedCluster } from "../../testing/mod.ts";
import type { SeededRandom } from "../seeded_random.ts";

/**
 * Does something at random to the links of one node, lets up to 20 seconds pass, and mends what does not mend by itself: one direction that
 * carries nothing, a reset, connections that a router forgot, a narrow or a clogged way, a reader that hardly reads.
 */
export async function disturbLinks(
  cluster: SimulatedCluster,
  random: SeededRandom,
  node: string,
  nodes: readonly string[],
): Promise<void> {
  const other = random.pick(nodes.filter((name) => name !== node));
  switch (random.int(6)) {
    case 0:
      cluster.cutOneWay(node, random.chance(0.5) ? other : nodes.filter((name) => name !== node));
      break;
    case 1:
      cluster.reset(node, nodes.filter((name) => name !== node));
      break;
    case 2:
      cluster.forget(node, other);
      break;
    case 3:
      cluster.narrow(node, other, 200 + random.int(1_000));
      break;
    case 4:
      cluster.clog(node, other, 100 + random.int(5_000));
      break;
    default:
      cluster.slowReader(node, 100 + random.int(5_000));
  }
  await cluster.advance(random.int(20_000));
  cluster.slowReader(node, Infinity);
  cluster.heal();
}
