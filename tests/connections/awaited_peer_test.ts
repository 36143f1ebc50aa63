// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { assertConnected, type PoolNode, PoolWorld, wantEachOther } from "./pool_world.ts";

const SOON = 1000;
const GONE = ["-default b", "-membership b", "down b", "unlinked b"];

/** Two connected nodes, of which "a" also dials where "b" is, without knowing what node that will be, and gets no answer. */
async function dialing(): Promise<[PoolWorld, PoolNode]> {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a"), await world.start("b")];
  wantEachOther(a, b);
  await world.advance(SOON);
  assertConnected(world, [a, b]);
  world.world.network.cut("a", "b");
  a.newlyTold();
  a.pool.reach(null, b.spec.addresses).catch(() => {});
  await world.advance(1);
  return [world, a];
}

Deno.test("reset() tells that a peer is gone, also while a dial is under way that could bring it back", async () => {
  const [world, a] = await dialing();
  a.pool.reset();
  assertEquals(a.newlyTold().sort(), GONE);
  await world.advance(60_000);
  assertEquals(a.newlyTold(), []);
});

Deno.test("a peer that is not wanted any more while it is awaited is told to be gone once the dial has failed", async () => {
  const [world, a] = await dialing();
  a.pool.disconnect(a.peer("b"));
  const isGone = (event: string) => event.startsWith("down") || event.startsWith("unlinked");
  assertEquals(a.newlyTold().filter(isGone), [], "it is awaited");
  a.pool.want([]);
  assertEquals(a.newlyTold().filter(isGone), [], "it is awaited still");
  await world.advance(60_000);
  assertEquals(a.newlyTold().filter(isGone), ["down b", "unlinked b"]);
  assertEquals(a.pool.peers.size, 0);
});
