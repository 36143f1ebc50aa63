// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse } from "@std/assert";
import type { Connection } from "../../connections/connection.ts";
import type { Peer } from "../../connections/peer.ts";
import { JoinProgress, type ReachedPeer } from "../../manager/join_progress.ts";

/** A peer with so many connections out of two. */
function peer(name: string, open: number): ReachedPeer {
  const connections = () => Array.from({ length: open }, (_, at) => at as unknown as Connection<Peer>); // Only counted.
  return { name, wanted: true, connected: open > 0, up: open === 2, fullyConnected: open === 2, connections };
}

Deno.test("JoinProgress takes what was never reached before for progress, and nothing twice", () => {
  const progress = new JoinProgress(4);
  assert(progress.note([], 1));
  assertFalse(progress.note([], 1));
  assert(progress.note([peer("a", 1)], 1));
  assert(progress.note([peer("a", 2)], 1));
  assertFalse(progress.note([peer("a", 0)], 1));
  // One has broken, and another one has opened that never was there.
  assert(progress.note([peer("a", 0), peer("b", 1)], 1));
  assertFalse(progress.note([peer("a", 2), peer("b", 1)], 1));
  assert(progress.note([peer("a", 2), peer("b", 1)], 2));
});

Deno.test("JoinProgress is done with a peer that is complete, or was and is up", () => {
  const progress = new JoinProgress(4);
  const isDone = (open: number, up: boolean) => {
    const now = { ...peer("a", open), up };
    progress.note([now], 1);
    return progress.isDone(now);
  };
  assertEquals([isDone(1, true), isDone(2, true), isDone(1, true), isDone(1, false)], [false, true, true, false]);
});

Deno.test("JoinProgress takes a few handshakes that are slow for a sign that the peer is there, while it is connected", () => {
  const progress = new JoinProgress(2);
  assertEquals([1, 1, 1].map((open) => progress.noteSlow(peer("a", open))), [true, true, false]);
  assertFalse(progress.noteSlow(peer("b", 0)));
});
