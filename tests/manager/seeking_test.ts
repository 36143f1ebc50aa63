// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertLessOrEqual } from "@std/assert";
import { DiskCluster } from "./disk_cluster.ts";
import { firstOf, present } from "../values.ts";

const PORT = 7_000;

/** A cluster of groups, all of which is dead. Each node is to come back where the next one of the same group used to be. */
async function swapped(groups: readonly (readonly string[])[], seed: number): Promise<DiskCluster> {
  const names = groups.flat();
  const disks = new DiskCluster(names, {}, seed);
  for (const name of names) disks.options.set(name, { listen: { hostname: name, port: PORT } });
  for (const name of names) await disks.cluster.startNode(name);
  await disks.cluster.settled();
  for (const name of names) disks.cluster.crash(name);
  for (const group of groups) {
    for (const [index, name] of group.entries()) {
      disks.options.set(name, { listen: { hostname: present(group[(index + 1) % group.length]), port: PORT } });
    }
  }
  return disks;
}

for (const sizes of [[2, 2], [5, 3], [4, 3, 3, 2]]) {
  const groups = sizes.map((size, group) => Array.from({ length: size }, (_, at) => `${"abcd"[group]}${at}`));
  const title = sizes.join(" + ");

  Deno.test(`${title} nodes that restarted apart, at addresses swapped in a ring, become one cluster again`, async () => {
    await using disks = await swapped(groups, 1);
    const { cluster } = disks;
    for (const from of groups) for (const to of groups) if (from !== to) cluster.cut(from, to);
    await disks.restart(...groups.flat());
    await cluster.advance(120_000);
    for (const group of groups) {
      const node = cluster.node(firstOf(group));
      for (const other of groups.flat()) {
        if (other !== node.name) assert(node.isConnected(other) === group.includes(other), `${node.name} ${other}`);
      }
    }
    cluster.heal();
    assertLessOrEqual(await cluster.settled(), 65_000);
  });

  Deno.test(`${title} nodes that all restart, at addresses swapped in one ring, become one cluster again`, async () => {
    for (let seed = 1; seed <= 5; seed++) {
      await using disks = await swapped([groups.flat()], seed);
      await disks.restart(...groups.flat());
      assertLessOrEqual(await disks.cluster.settled(), 20_000);
    }
  });
}
