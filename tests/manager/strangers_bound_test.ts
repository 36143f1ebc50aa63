// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { Peer } from "../../connections/peer.ts";
import { STRANGER_MS, Strangers, STRANGERS_MAX } from "../../manager/strangers.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { nodeSpec } from "../node_spec.ts";
import { firstOf, nthOf } from "../values.ts";

const SELF = nodeSpec("self");

function setUp(knowsAll = true): { world: SimulatedWorld; strangers: Strangers; closed: string[] } {
  const world = new SimulatedWorld({ seed: "strangers" });
  const closed: string[] = [];
  const strangers = new Strangers(world.node("self").clock, {
    peers: new Map(),
    disconnect: (peer) => closed.push(peer.name),
  }, knowsAll);
  return { world, strangers, closed };
}

function newPeer(name: string): Peer {
  return new Peer(nodeSpec(name), SELF);
}

Deno.test("Beyond the bound the oldest stranger makes room for the newest, and members do not count", () => {
  const { strangers, closed } = setUp();
  const peers = Array.from({ length: STRANGERS_MAX }, (_, index) => newPeer(`s${index}`));
  for (const peer of peers) strangers.meet(peer);
  assertEquals(closed, []);
  firstOf(peers).introduce();
  nthOf(peers, 1).wanted = true;
  for (const name of ["more", "still more"]) strangers.meet(newPeer(name));
  assertEquals(closed, []);
  for (const name of ["too many", "far too many"]) strangers.meet(newPeer(name));
  assertEquals(closed, ["s2", "s3"]);
  for (const peer of peers) strangers.end(peer);
});

Deno.test("A stranger has its time once, however often it connects; who joins in time stays", async () => {
  const { world, strangers, closed } = setUp();
  const [stranger, joiner, gone] = [newPeer("stranger"), newPeer("joiner"), newPeer("gone")] as const;
  for (const peer of [stranger, joiner, gone]) strangers.meet(peer);
  await world.advance(STRANGER_MS - 1);
  strangers.meet(stranger);
  joiner.introduce();
  strangers.end(gone);
  assertEquals(closed, []);
  await world.advance(1);
  assertEquals(closed, ["stranger"]);
});

Deno.test("A node that stops times no stranger any more, also none that comes while it writes its last words", async () => {
  const { world, strangers, closed } = setUp();
  strangers.meet(newPeer("before"));
  strangers.stopping();
  strangers.meet(newPeer("after"));
  await world.advance(STRANGER_MS);
  assertEquals(closed, []);
});

Deno.test("Where a node knows a part of the cluster only, those count that it does not want, and have no time", async () => {
  const { world, strangers, closed } = setUp(false);
  const peers = Array.from({ length: STRANGERS_MAX + 1 }, (_, index) => newPeer(`s${index}`));
  for (const peer of peers) {
    peer.introduce();
    strangers.meet(peer);
  }
  assertEquals(closed, ["s0"]);
  await world.advance(10 * STRANGER_MS);
  nthOf(peers, 1).wanted = true;
  strangers.meet(newPeer("late"));
  assertEquals(closed, ["s0"]);
});
