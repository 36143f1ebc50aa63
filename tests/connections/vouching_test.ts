// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import { Vouching } from "../../connections/vouching.ts";
import { PoolWorld, wantEachOther } from "./pool_world.ts";
import { present } from "../values.ts";

async function pair() {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a"), await world.start("b")];
  wantEachOther(a, b);
  await world.advance(1_000);
  return { world, a, b, toB: present(a.peer("b").membership), toA: present(b.peer("a").membership) };
}

Deno.test("Vouching: a node vouches for the tickets of its dials to the nodes that they mean, and for no others", async () => {
  const { world, a, toB } = await pair();
  const asker = new Vouching(world.world.node("a"), 1_000);
  const owner = new Vouching(world.world.node("b"), 1_000);
  a.pool.frame = (connection, kind, buffer, start, end) => void asker.takeFrame(connection, kind, buffer, start, end);
  const answer = async (ticket: number) => {
    const word = asker.ask(toB, ticket);
    const question = new Uint8Array(10);
    const view = new DataView(question.buffer);
    view.setUint32(0, number++);
    view.setUint16(4, Math.floor(ticket / 2 ** 32));
    view.setUint32(6, ticket >>> 0);
    let said: number | undefined;
    const queue = {
      hasRoomFor: () => true,
      begin: () => ({ u32: () => {}, u8: (it: number) => said = it }),
      commit() {},
    };
    owner.takeFrame({ queue, peer: { name: "a" } } as never, FrameKind.vouch, question, 0, 10);
    const body = new Uint8Array([0, 0, 0, number - 1, present(said)]);
    asker.takeFrame(toB, FrameKind.vouched, body, 0, 5);
    return await word;
  };
  let number = 1;
  const [mine, anyone, others] = [owner.begin("a"), owner.begin(null), owner.begin("c")];
  assertEquals([await answer(mine), await answer(anyone), await answer(others)], [true, true, false]);
  assertEquals([await answer(0), await answer((mine + 1) % 2 ** 48)], [false, false]);
  owner.reached(anyone, "c");
  owner.end(mine);
  assertEquals([await answer(mine), await answer(anyone)], [false, false]);
});

Deno.test("Vouching.ask() says null when no node answers in time, or the connection closes, and keeps no timer", async () => {
  const { world, a, toB } = await pair();
  const runtime = world.world.node("a");
  const asker = new Vouching(runtime, 1_000);
  const silent = asker.ask(toB, 1);
  let word: boolean | null | undefined;
  silent.then((it) => word = it);
  await world.advance(999);
  assertEquals(word, undefined);
  await world.advance(2);
  assertEquals(word, null);
  const cut = asker.ask(toB, 2);
  asker.closed(toB);
  assertEquals(await cut, null);
  toB.close();
  assertEquals(await asker.ask(toB, 3), null);
  a.pool.stop();
});

Deno.test("Vouching takes an answer over the connection that was asked only, and refuses what is no question or answer", async () => {
  const { world, toB } = await pair();
  const asker = new Vouching(world.world.node("a"), 1_000);
  let word: boolean | null | undefined;
  asker.ask(toB, 1).then((it) => word = it);
  const yes = new Uint8Array([0, 0, 0, 1, 1]);
  asker.takeFrame({} as never, FrameKind.vouched, yes, 0, 5);
  asker.takeFrame(toB, FrameKind.vouched, new Uint8Array([0, 0, 0, 2, 1]), 0, 5);
  await world.advance(10);
  assertEquals(word, undefined);
  assert(asker.takeFrame(toB, FrameKind.vouched, yes, 0, 5));
  await world.advance(10);
  assertEquals(word, true);
  for (const kind of [FrameKind.vouch, FrameKind.vouched]) {
    assertThrows(() => asker.takeFrame(toB, kind, yes, 0, 4), ProtocolError, "Cannot read a question whose dial it is");
  }
  assert(!asker.takeFrame(toB, FrameKind.probe, yes, 0, 5));
});

Deno.test("Vouching remembers the last few thousand dials, and draws tickets that differ", () => {
  const vouching = new Vouching(new SimulatedWorld().node("a"), 1_000);
  const tickets = new Set(Array.from({ length: 5_000 }, () => vouching.begin("b")));
  assertEquals(tickets.size, 5_000);
  assert([...tickets].every((ticket) => Number.isSafeInteger(ticket) && ticket < 2 ** 48));
});
