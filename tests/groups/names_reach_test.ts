// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { type NameClaim, type NameHolder, NameLostError, Names, NameTakenError } from "../../groups/mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { seededRandom } from "../seeded_random.ts";
import { IS_FULL_SIZE } from "../sim/full_size.ts";
import { entryOf } from "../values.ts";

const SEEDS = IS_FULL_SIZE ? 400 : 40;

/** A cluster whose nodes all use names, and the conflicts that they were told. */
async function named(nodes: readonly string[], seed?: string) {
  const cluster = await SimulatedCluster.start({ nodes, ...(seed !== undefined && { seed }) });
  const conflicts: [string, readonly NameHolder[]][] = [];
  const onConflictAt = (node: string) => (_name: string, claims: readonly NameHolder[]) => {
    conflicts.push([node, claims]);
  };
  const names = new Map(nodes.map((node) => [node, new Names(cluster.node(node), { onConflict: onConflictAt(node) })]));
  return { cluster, names: (node: string) => entryOf(names, node), conflicts };
}

Deno.test("A name is not claimed by two nodes that cannot reach each other, where a third one reaches both", async () => {
  const { cluster, names } = await named(["a", "b", "c"]);
  await using _cluster = cluster;
  cluster.cut("a", "c");
  await cluster.advance(30_000);
  assertEquals(cluster.node("a").connected(), ["b"]);
  const claim = await cluster.wait(names("a").claim("x"));
  await assertRejects(() => cluster.wait(names("c").claim("x")), NameTakenError, 'the owner is "a"');
  claim[Symbol.dispose]();
  const next = await cluster.wait(names("c").claim("x"));
  assert(!next.signal.aborted);
});

Deno.test(`Of claims at the same time one stays, where a third node reaches both claimants, with ${SEEDS} seeds`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { cluster, names } = await named(["a", "b", "c", "d"], `claims ${seed}`);
    await using _cluster = cluster;
    cluster.cut("a", "c");
    await cluster.advance(30_000);
    const owners: string[] = [];
    for (const node of ["a", "c"]) names(node).claim("x").then(() => owners.push(node), () => {});
    await cluster.advance(10_000);
    assertEquals(owners.length, 1, `seed ${seed}: ${owners}`);
  }
});

Deno.test("Two owners that still cannot reach each other are told by the first node that reaches both, with both claims", async () => {
  const { cluster, names, conflicts } = await named(["a", "b", "c"]);
  await using _cluster = cluster;
  cluster.cut("c");
  await cluster.advance(30_000);
  const earlier = await cluster.wait(names("a").claim("x", 1));
  await cluster.advance(1_000);
  const later = await cluster.wait(names("c").claim("x", 2));
  assertEquals([earlier.signal.aborted, later.signal.aborted], [false, false], "neither can know of the other");
  cluster.heal();
  cluster.cut("a", "c");
  await cluster.advance(60_000);
  assertEquals(cluster.node("b").connected(), ["a", "c"]);
  assertEquals(cluster.node("a").connected(), ["b"]);
  assertEquals(conflicts.map(([node, both]) => [node, both.map(({ node, meta }) => [node, meta])]), [
    ["c", [["c", 2], ["a", 1]]],
  ]);
  assertEquals([earlier.signal.aborted, later.signal.aborted], [true, false]);
  assertInstanceOf(earlier.signal.reason, NameLostError);
  assertEquals(earlier.signal.reason.owner, "c");
});

Deno.test(`No name has two owners that one node reaches both, whatever links are cut, with ${SEEDS} seeds`, async () => {
  const nodes = ["a", "b", "c", "d"];
  let owned = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed);
    const { cluster, names } = await named(nodes, `reach ${seed}`);
    await using _cluster = cluster;
    const held = new Map<string, NameClaim>();
    for (let step = 0; step < 6; step++) {
      if (random.chance(0.3)) cluster.heal();
      for (const one of nodes) {
        for (const other of nodes) if (one < other && random.chance(0.25)) cluster.cut(one, other);
      }
      await cluster.advance(random.int(30_000));
      for (const node of nodes) {
        if (random.chance(0.6)) names(node).claim("x").then((claim) => held.set(node, claim), () => {});
      }
      await cluster.advance(random.int(5_000));
    }
    await cluster.advance(60_000);
    const owners = nodes.filter((node) => held.get(node)?.signal.aborted === false);
    owned += owners.length;
    for (const node of nodes) {
      const reached = owners.filter((owner) => owner === node || cluster.node(node).isConnected(owner));
      assert(reached.length <= 1, `seed ${seed}: "${node}" reaches ${reached}, which all have the name`);
    }
  }
  assert(owned > SEEDS / 2, `only ${owned} owners`);
});
