// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { uniformLatency } from "../../transport/memory/memory_links.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import {
  assertConnected,
  assertPaired,
  COURTESY,
  LOOK_INTERVAL,
  PoolWorld,
  SILENCE,
  wantEachOther,
} from "./pool_world.ts";
import { present, takeOf } from "../values.ts";

const SOON = 1_000;

Deno.test("hearsay of life does not end the doubt about a connection; a frame heard over it does, and over no other", async () => {
  for (const taken of ["frame", "message"] as const) {
    const world = new PoolWorld();
    const [a, b] = [await world.start("a"), await world.start("b")];
    wantEachOther(a, b);
    await world.advance(SOON);
    world.world.network.cut("a", "b");
    const peer = a.peer("b");
    a.pool.silence(peer);
    a.pool.revive(peer);
    assertEquals([peer.silent, peer.doubtful], [false, true]);
    const [first, second] = takeOf(peer.connections(), 2);
    a.pool[taken](second, 0x7f, new Uint8Array(), 0, 0);
    assertEquals([first.doubtful, second.doubtful], [true, false]);
    world.world.network.heal();
    await world.advance(SOON);
    assertConnected(world, [a, b]);
    assert(a.peer("b").connections().every(({ doubtful }) => !doubtful));
  }
});

Deno.test("a connection that only the side that did not dial it has given up is dialed anew at once, and loses nothing", async () => {
  for (const wants of [false, true]) {
    const world = new PoolWorld({ latency: uniformLatency(10, 10) });
    const [a, b] = [await world.start("a"), await world.start("b")];
    a.pool.want([b.spec]);
    await world.advance(SOON);
    if (wants) b.pool.want([a.spec]);
    const former = present(a.peer("b").at("default", 0));
    assert(former.outbound);
    // Both have heard nothing for long, and then one hears something over one of the connections.
    b.pool.doubt(b.peer("a"));
    a.pool.doubt(a.peer("b"));
    a.pool.frame(former, 0x7f, new Uint8Array(), 0, 0);
    assert(await world.world.runUntil(() => b.peer("a").at("default", 0) === null, SOON));
    assertEquals(a.peer("b").at("default", 0), former);
    const sent = a.greet("b");
    await world.advance(COURTESY / 2);
    assertPaired(a, b);
    assertEquals([former.closed, b.messages.length], [true, sent]);
    await world.advance(10 * SILENCE);
    assertConnected(world, [a, b]);
  }
});

for (const isTalking of [false, true]) {
  const what = isTalking ? "that talks into it" : "that says nothing";
  Deno.test(`a node ${what} closes a connection that it does not want, and that a middlebox has forgotten, though the other end dialed it`, async () => {
    const world = new PoolWorld();
    const [a, b] = [await world.start("a"), await world.start("b")];
    a.usesAll = b.usesAll = false;
    await world.world.wait(b.pool.reach("a", a.spec.addresses), SOON);
    await world.advance(SOON);
    assertEquals([a.pool.peers.size, world.streams("a")], [1, 1]);
    world.world.network.forget("a", "b");
    if (isTalking) a.greet("b");
    for (let time = 0; time < 20 * SILENCE; time += LOOK_INTERVAL) {
      for (const { pool } of [a, b]) pool.look();
      await world.advance(LOOK_INTERVAL);
    }
    assertEquals([a.pool.peers.size, b.pool.peers.size, world.streams("a")], [0, 0, 0]);
  });
}

/** The pairs of nodes of which no node hears the other one, in the seconds after a hole of `hole` seconds. */
async function stuckAfter(hole: number, seed: number): Promise<string[]> {
  const names = ["a", "b", "c", "d", "e", "f"];
  await using cluster = await SimulatedCluster.start({ nodes: names, seed, options: { preset: "lan" } });
  const heard = new Set<string>();
  for (const to of names) cluster.node(to).register("ear", (from) => void heard.add(`${from} ${to}`));
  const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => `${from} ${to}`));
  const talk = async (seconds: number) => {
    for (; seconds > 0; seconds--) {
      for (const pair of pairs) {
        const [from, to] = pair.split(" ") as [string, string];
        cluster.node(from).castMessage(to, "ear", from);
      }
      await cluster.advance(1_000);
    }
  };
  for (const name of names) cluster.cut(name);
  await talk(hole);
  cluster.heal();
  heard.clear();
  await talk(4);
  return pairs.filter((pair) => !heard.has(pair));
}

Deno.test("after a hole has healed, messages flow within seconds, though TCP waits as long as the hole was before it tries again", async () => {
  // With these seeds pairs are stuck when neither doubt nor probes have connections replaced.
  for (const seed of [2, 14, 26, 38]) assertEquals(await stuckAfter(26, seed), [], `seed ${seed}`);
});
