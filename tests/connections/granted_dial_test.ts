// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { Peer } from "../../connections/peer.ts";
import { DIAL_SLOTS } from "../../connections/dialer/dial_slots.ts";
import { assertConnected, COURTESY, type PoolNode, PoolWorld, slowWrites, wantEachOther } from "./pool_world.ts";

/** Milliseconds after its answer for which an acceptor does not know that the answer is out. */
const WRITE_MS = 100;

/** Has a node send messages as soon as it is told that a peer is up. @returns Number of messages that it has sent. */
function greetWhenUp(node: PoolNode): () => number {
  const { up } = node;
  let sent = 0;
  node.up = (peer: Peer) => {
    up(peer);
    sent += node.greet(peer.name);
  };
  return () => sent;
}

function goneEvents({ told }: PoolNode): string[] {
  return told.filter((event) => /down|unlinked|^-/.test(event));
}

for (const [acceptor, dialer] of [["a", "b"], ["b", "a"]] as const) {
  Deno.test(`node "${acceptor}" that has granted a dial of "${dialer}" and dials it before it knows that, stands by its word`, async () => {
    // A dialer that knows an address only cannot say which node it means.
    for (const [secrets, to] of [[[], acceptor], [["s3cret"], acceptor], [[], null]] as const) {
      for (const latency of [1, 20, 45]) {
        for (let after = 0; after < WRITE_MS + 4 * latency; after += 7) {
          const note = `${secrets.length} secrets, to ${to}, latency ${latency}, dialed after ${after}`;
          const world = new PoolWorld({ latency });
          const granting = await world.start(acceptor, { secrets, wrap: slowWrites(world, WRITE_MS) });
          const granted = await world.start(dialer, { secrets });
          const sent = [granted, granting].map(greetWhenUp);
          granted.pool.reach(to, granting.spec.addresses).catch(() => {});
          await world.advance(after);
          granting.pool.reach(dialer, granted.spec.addresses).catch(() => {});
          wantEachOther(granting, granted);
          await world.advance(10_000);

          assertEquals([granting, granted].map(goneEvents), [[], []], note);
          assertEquals([granting, granted].map(({ messages }) => messages.length), sent.map((count) => count()), note);
          assertConnected(world, [granting, granted], note);
        }
      }
    }
  });
}

/** Takes all dials that a node may have under way. @returns Gives them back. */
function takeDialSlots({ pool }: PoolNode): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (let taken = 0; taken < DIAL_SLOTS; taken++) pool.slots.run(() => promise, false, true, true);
  return resolve;
}

Deno.test("a dial that waits while the other side is granted the same one is not made", async () => {
  const world = new PoolWorld({ latency: 5 });
  const a = await world.start("a", { wrap: slowWrites(world, WRITE_MS) });
  const b = await world.start("b");
  const giveBack = takeDialSlots(a);
  wantEachOther(a, b);
  await world.advance(COURTESY + 50);
  giveBack();
  await world.advance(10_000);

  assertEquals([a, b].map(goneEvents), [[], []]);
  assertConnected(world, [a, b]);
  assertEquals(a.pool.stats.dials, 0);
});

Deno.test("a connection without a socket keeps the one for which the other side was granted a dial, though one waited here", async () => {
  for (let after = 0; after < COURTESY + 2 * WRITE_MS; after += 7) {
    const note = `dials again after ${after}`;
    const world = new PoolWorld({ latency: 5 });
    const a = await world.start("a", { wrap: slowWrites(world, WRITE_MS) });
    const b = await world.start("b");
    a.usesAll = b.usesAll = false;
    wantEachOther(a, b);
    await world.advance(1_000);
    const giveBack = takeDialSlots(a);
    a.usesAll = true;
    a.up(a.peer("b"));
    a.greet("b");
    let sent = 0;
    world.world.schedule(after, giveBack);
    for (let at = 0; at < 1_000; at += 5) world.world.schedule(at, () => sent += b.greet("a"));
    await world.advance(10_000);

    assertEquals([a, b].map(goneEvents), [[], []], note);
    assertEquals(a.messages.length, sent, note);
    assertConnected(world, [a, b], note);
  }
});
