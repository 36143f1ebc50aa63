// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { nodeSpec } from "../node_spec.ts";
import { assertPaired, PoolWorld } from "./pool_world.ts";

for (const dead of [0, 20, 50]) {
  Deno.test(`with ${dead} peers long dead, a broken link is back within 0.2 s, and a newcomer connected`, async () => {
    const world = new PoolWorld();
    const [a, b, c] = [await world.start("a"), await world.start("b"), await world.start("c")];
    const ghosts = Array.from({ length: dead }, (_, at) => {
      const name = `ghost${at}`;
      world.world.network.transport(name);
      world.world.network.crash(name);
      return nodeSpec(name, 1, { addresses: [{ hostname: name, port: 1 }] });
    });
    a.pool.want([...ghosts, b.spec]);
    b.pool.want([a.spec]);
    // Long enough for each of the dead to have failed.
    await world.advance(60_000);
    assertPaired(a, b);
    for (let round = 0; round < 5; round++) {
      world.world.network.reset("a", "b");
      await world.advance(200);
      assertPaired(a, b, `round ${round}`);
      await world.advance(5_000 + 313 * round);
    }
    c.pool.want([a.spec]);
    a.pool.want([...ghosts, b.spec, c.spec]);
    await world.advance(200);
    assertPaired(a, c);
    assertEquals(a.pool.peers.size, dead + 2);
    assert(a.peer("c").up);
  });
}
