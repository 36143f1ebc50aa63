// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { MEMBERSHIP_CHANNEL } from "../../connections/peer.ts";
import { sendValue } from "../../connections/send_value.ts";
import { gossipToValue } from "../../gossip/gossip_message.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { decodeSnapshot } from "../../membership/snapshot_format.ts";
import { MembershipSet } from "../../membership/membership_set.ts";
import { memoryStore } from "../../testing/memory_store.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { nodeSpec } from "../node_spec.ts";
import { scenario } from "./worlds.ts";

scenario("Members that were never seen are not kept in the store, others are", async (world) => {
  const store = memoryStore();
  const a = await world.start("a", { store });
  const b = await world.start("b");
  const c = await world.start("c");
  await b.syncJoin(a.spec);
  await c.syncJoin(a.spec);
  await world.settled([a, b, c]);
  const ghosts = Array.from({ length: 100 }, (_, index) => `ghost ${index}`);
  const delta = ghosts
    .map((name) => MembershipSet.empty().add(nodeSpec(name, 1, { addresses: [] })).set)
    .reduce((all, one) => all.merge(one));
  const connection = PeerService.nodeOf(b).pool.peers.get("a")!.at(MEMBERSHIP_CHANNEL, 0)!;
  assert(sendValue(connection, FrameKind.strategy, gossipToValue({ kind: "delta", delta, wanted: [] })));
  await world.until("a believes it", () => a.members().length === 103);
  // One that was seen is kept although it is down.
  await c.stop();
  await world.until("c is down", () => !a.isConnected("c"));
  await a.stop();
  const { members } = decodeSnapshot((await store.load())!);
  assertEquals(PeerService.nodeOf(a).overlay.membersOf(members).map(({ name }) => name), ["a", "b", "c"]);
  world.errors.length = 0;
});
