// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { assertConnected, HANDSHAKE_TIMEOUT, PoolWorld, wantEachOther } from "./pool_world.ts";
import { firstOf } from "../values.ts";

Deno.test("a successor has its connections where its predecessor is wanted no more over the news of it, as in a partial view", async () => {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a"), await world.start("b")];
  wantEachOther(a, b);
  await world.advance(1_000);
  const { down } = a;
  a.down = (peer) => {
    down(peer);
    a.pool.want([]);
  };
  a.newlyTold();
  world.world.crash("b");
  const successor = await world.start("b", { incarnation: 2, port: firstOf(b.spec.addresses).port });
  successor.pool.want([a.spec]);
  await world.advance(2 * HANDSHAKE_TIMEOUT);
  assertConnected(world, [a, successor]);
  assertEquals(a.newlyTold(), [
    ...["-membership b", "-default b", "down b", "unlinked b"],
    ...["linked b", "up b", "+default b", "+membership b"],
  ]);
});
