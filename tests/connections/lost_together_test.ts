// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { nthOf } from "../values.ts";
import { assertConnected, COURTESY, type PoolNode, PoolWorld, wantEachOther } from "./pool_world.ts";

/** Nodes of which each is connected with each. */
async function mesh(count: number): Promise<[PoolWorld, PoolNode[]]> {
  const world = new PoolWorld();
  const nodes: PoolNode[] = [];
  for (let index = 0; index < count; index++) nodes.push(await world.start(`n${index}`));
  for (const node of nodes) node.usesAll = false;
  wantEachOther(...nodes);
  // Long enough for no dial to be a retry.
  await world.advance(10_000);
  return [world, nodes];
}

/** Notes how many dials a node had begun whenever it told that a peer is down. */
function dialsAtDowns(node: PoolNode): number[] {
  const dials: number[] = [];
  const { down } = node;
  node.down = (peer) => {
    dials.push(node.pool.stats.dials);
    return down(peer);
  };
  return dials;
}

Deno.test("of many peers that are lost together all are told to be down before any of them is dialed, and dials wait a moment", async () => {
  const [world, nodes] = await mesh(12);
  const node = nthOf(nodes, 0);
  const [dials, before] = [dialsAtDowns(node), node.pool.stats.dials];
  for (let other = 1; other < 12; other++) world.world.network.reset("n0", `n${other}`);
  await world.advance(COURTESY / 5);
  assertEquals(dials, new Array(11).fill(before));
  assertEquals(node.pool.stats.dials, before);
  await world.advance(COURTESY / 2);
  assertEquals(node.pool.stats.dials, before + 11);
  assertEquals(node.pool.stats.dialFailures, 0);
  for (const other of nodes.slice(1)) assert(other.peer("n0").up && node.peer(other.spec.name).up);
});

Deno.test("one peer that is lost is told to be down, and dialed in the same moment", async () => {
  const [world, nodes] = await mesh(12);
  const node = nthOf(nodes, 0);
  const [dials, before] = [dialsAtDowns(node), node.pool.stats.dials];
  world.world.network.reset("n0", "n1");
  await world.advance(0);
  assertEquals(dials, [before]);
  assertEquals(node.pool.stats.dials, before + 1);
});

Deno.test("when all links of a mesh break at once, all are back within a courtesy time, and no link is dialed twice", async () => {
  const [world, nodes] = await mesh(16);
  const dials = () => nodes.reduce((sum, { pool }) => sum + pool.stats.dials, 0);
  const before = dials();
  for (let one = 0; one < 16; one++) {
    for (let other = one + 1; other < 16; other++) world.world.network.reset(`n${one}`, `n${other}`);
  }
  await world.advance(COURTESY);
  assertConnected(world, nodes);
  assertEquals(dials() - before, 16 * 15 / 2);
});
