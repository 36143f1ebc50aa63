// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { assertConnected, PoolWorld, wantEachOther } from "./pool_world.ts";

const SOON = 1_000;
const TCP = { initial: 200, cap: 120_000 };

Deno.test("hearsay of life does not end the doubt about a connection; a frame heard over it does, and over no other", async () => {
  const world = new PoolWorld({ retransmission: TCP });
  const [a, b] = [await world.start("a"), await world.start("b")];
  wantEachOther(a, b);
  await world.advance(SOON);
  world.world.network.cut("a", "b");
  const peer = a.peer("b");
  a.pool.silence(peer);
  a.pool.revive(peer);
  assertEquals([peer.silent, peer.doubtful], [false, true]);
  const [first, second] = peer.connections();
  a.pool.frame(second!, 0x7f, new Uint8Array(), 0, 0);
  assertEquals([first!.doubtful, second!.doubtful], [true, false]);
  world.world.network.heal();
  await world.advance(SOON);
  assertConnected(world, [a, b]);
  assert(a.peer("b").connections().every(({ doubtful }) => !doubtful));
});

Deno.test("after a hole has healed, messages flow at once, though TCP would wait before it tries its old connections again", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c", "d"], seed, retransmission: TCP });
    const names = ["a", "b", "c", "d"];
    const heard = new Set<string>();
    for (const to of names) {
      cluster.node(to).register("ear", (from) => void heard.add(`${from} ${to}`));
    }
    const talk = () => {
      for (const from of names) {
        for (const to of names) if (from !== to) cluster.node(from).castMessage(to, "ear", from);
      }
    };
    cluster.cut(["a", "b"], ["c", "d"]);
    for (let second = 0; second < 40; second++) {
      talk();
      await cluster.advance(1_000);
    }
    cluster.heal();
    heard.clear();
    for (let second = 0; second < 6; second++) {
      talk();
      await cluster.advance(1_000);
    }
    assertEquals(heard.size, 12, `seed ${seed}: ${[...heard]}`);
  }
});
