// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { reachedNodes } from "../../testing/reached_nodes.ts";
import { DiskCluster } from "./disk_cluster.ts";
import { isSymmetric, nameOf, optionsOf, partialOverlays } from "./overlay_worlds.ts";
import { firstOf, nthOf } from "../values.ts";

const SIZE = 12;
const NAMES = Array.from({ length: SIZE }, (_, index) => nameOf(index));

async function clusterOf(overlay: (typeof partialOverlays)[number]): Promise<DiskCluster> {
  const disks = new DiskCluster(NAMES);
  for (const [index, name] of NAMES.entries()) {
    disks.options.set(name, optionsOf(overlay, index, SIZE) as never);
    await disks.cluster.startNode(name);
    await disks.cluster.advance(1_000);
  }
  assert(await isWhole(disks, 60_000));
  return disks;
}

/** Waits until there is a way from each running node to each other one. */
function isWhole({ cluster }: DiskCluster, limit: number): Promise<boolean> {
  return cluster.runUntil(
    () => reachedNodes(cluster.nodes).size === cluster.nodes.length && isSymmetric(cluster.nodes),
    limit,
  );
}

for (const overlay of partialOverlays) {
  Deno.test(`Over ${overlay.name}, all nodes of a cluster that restart at once find each other again`, async () => {
    await using disks = await clusterOf(overlay);
    for (let round = 0; round < 2; round++) {
      for (const name of NAMES) disks.cluster.crash(name);
      await disks.restart(...NAMES);
      assert(await isWhole(disks, 30_000));
      await disks.cluster.advance(30_000);
      assert(await isWhole(disks, 30_000));
    }
    assertEquals(disks.told, []);
  });

  Deno.test(`Over ${overlay.name}, a node that restarts alone, at a new port, finds its cluster again`, async () => {
    await using disks = await clusterOf(overlay);
    for (const name of [firstOf(NAMES), nthOf(NAMES, 7)]) {
      disks.cluster.crash(name);
      await disks.cluster.advance(60_000);
      disks.options.set(name, { ...disks.options.get(name), listen: { hostname: name, port: 7_000 } });
      await disks.restart(name);
      assert(await isWhole(disks, 30_000));
    }
    assertEquals(disks.told, []);
  });

  Deno.test(`Over ${overlay.name}, a node that was removed while it was away learns it`, async () => {
    await using disks = await clusterOf(overlay);
    const { cluster } = disks;
    const name = nthOf(NAMES, 7);
    const { spec } = cluster.node(name);
    cluster.crash(name);
    await cluster.advance(60_000);
    // A partial view may have replaced it by now, so not everyone knows it by name.
    await cluster.wait(firstOf(cluster.nodes).leave(spec));
    await cluster.advance(10_000);
    await disks.restart(name);
    await cluster.runUntil(() => disks.told.length > 0, 60_000);
    assertEquals(disks.told, [`${name} removed`]);
    assert(await isWhole(disks, 30_000));
    for (const node of cluster.nodes) assertEquals(node.member(name), false);
  });
}
