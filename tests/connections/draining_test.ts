// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { FrameKind } from "../../wire/frame_kind.ts";
import { uniformLatency } from "../../transport/memory/memory_links.ts";
import { assertConnected, IDLE_GRACE, type PoolNode, PoolWorld, wantEachOther } from "./pool_world.ts";
import { firstOf, nthOf, present } from "../values.ts";

const SOON = 1_000;
const SENDS = 500;

async function pair(world: PoolWorld): Promise<[PoolNode, PoolNode]> {
  const nodes: [PoolNode, PoolNode] = [await world.start("a"), await world.start("b")];
  wantEachOther(...nodes);
  await world.advance(SOON);
  assertConnected(world, nodes);
  return nodes;
}

/** A node that has forgotten another one, a member or not, while a connection of theirs drains. */
async function forgottenWhileDraining(isMember = true) {
  const world = new PoolWorld({ retransmission: { initial: 200, cap: 120_000 } });
  const [a, b] = await pair(world);
  if (isMember) a.peer("b").introduce();
  const old = present(a.peer("b").at("default", 0));
  await world.world.wait(a.pool.dial(a.peer("b"), "default", 0), SOON);
  world.world.network.cut("a", "b");
  a.pool.want([]);
  for (const connection of a.peer("b").connections()) connection.close();
  assertEquals(a.pool.peers.size, 0);
  return { a, b, old };
}

/** Sends a numbered frame of some `bytes` bytes over the connection that fills the default channel's slot now. */
function send(from: PoolNode, to: PoolNode, number: number, bytes: number): void {
  const queue = present(from.peer(to.spec.name).at("default", 0)).queue;
  const writer = queue.begin(FrameKind.message);
  writer.u8(number & 0xff);
  writer.u8(number >> 8);
  writer.raw(new Uint8Array(bytes));
  queue.commit();
}

Deno.test("a connection that is replaced by either side loses nothing of what either side put into it, and keeps its order", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const world = new PoolWorld({ seed, latency: uniformLatency(1, 30) });
    const [a, b] = await pair(world);
    const random = world.world.random("sizes");
    for (let at = 0; at < SENDS; at++) {
      world.world.schedule(at, () => send(a, b, at, 1 + random.int(2_000)));
      world.world.schedule(at, () => send(b, a, at, 1 + random.int(2_000)));
    }
    for (let round = 0; round < 3; round++) {
      const [by, other] = random.next() < 0.5 ? [a, b] : [b, a];
      const renew = () => void by.pool.dial(by.peer(other.spec.name), "default", 0).catch(() => {});
      // Two that both dial at the same time may have neither for a moment; they have time for one after the other here.
      world.world.schedule(200 * round, renew);
    }
    const before = present(a.peer("b").at("default", 0));
    await world.advance(SENDS + SOON);
    assertConnected(world, [a, b], `seed ${seed}`);
    for (const { messages } of [a, b]) {
      assertEquals(
        messages.map(([, body]) => firstOf(body) + 256 * nthOf(body, 1)),
        [...Array(SENDS).keys()],
        `seed ${seed}`,
      );
    }
    assert(before !== a.peer("b").at("default", 0), `seed ${seed}`);
    assert(before.closed && before.handedOver, `seed ${seed}`);
    assert([...a.told, ...b.told].every((event) => !/down|un|-/.test(event)), `seed ${seed}`);
    assert(await world.isQuiet(), `seed ${seed}`);
  }
});

Deno.test("a connection that drains is closed when it gets no further, and does not claim that all was read", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  const old = present(a.peer("b").at("default", 0));
  await world.world.wait(a.pool.dial(a.peer("b"), "default", 0), SOON);
  world.world.network.cut("a", "b");
  assert(old.draining && !old.closed);
  await world.advance(2 * IDLE_GRACE + 100);
  assert(old.closed);
  assertEquals(old.handedOver, false);
  world.world.network.heal();
  await world.advance(SOON);
  assertConnected(world, [a, b]);
});

Deno.test("what a peer loses or leaves behind does not keep connections that drain", async () => {
  const world = new PoolWorld();
  const [a] = await pair(world);
  await world.world.wait(a.pool.dial(a.peer("b"), "default", 0), SOON);
  world.world.network.cut("a", "b");
  a.pool.disconnect(a.peer("b"));
  assertEquals(world.streams("a"), 0);
});

Deno.test("what drains of a node's former incarnation is closed once its next incarnation is known, so that no late word of the former is taken for one of the next", async () => {
  const world = new PoolWorld({ retransmission: { initial: 200, cap: 120_000 } });
  const [a, b] = await pair(world);
  const old = present(a.peer("b").at("default", 0));
  await world.world.wait(a.pool.dial(a.peer("b"), "default", 0), SOON);
  world.world.network.cut("a", "b");
  assert(old.draining && !old.closed);
  a.pool.want([{ ...b.spec, incarnation: b.spec.incarnation + 1 }]);
  assert(old.closed);
});

Deno.test("what drains of a node's former incarnation is closed although the node was forgotten before its next incarnation is known", async () => {
  const { a, b, old } = await forgottenWhileDraining();
  assert(old.draining && !old.closed);
  a.pool.want([{ ...b.spec, incarnation: b.spec.incarnation + 1 }]);
  assert(old.closed);
});

Deno.test("what drains of a node that was forgotten is closed when this node begins anew, or stops", async () => {
  for (const isStopping of [false, true]) {
    const { a, old } = await forgottenWhileDraining();
    if (isStopping) await a.pool.stop();
    else a.pool.reset();
    assert(old.closed);
  }
});

Deno.test("what drains of a node that has not joined is closed when it is forgotten: a stranger's messages wait until it has joined", async () => {
  const { old } = await forgottenWhileDraining(false);
  assert(old.closed);
});
