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
import { entryOf, present } from "../values.ts";

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
  const connection = present(entryOf(PeerService.nodeOf(b).pool.peers, "a").at(MEMBERSHIP_CHANNEL, 0));
  assert(sendValue(connection, FrameKind.strategy, gossipToValue({ kind: "delta", delta, wanted: [] })));
  await world.until("a believes it", () => a.members().length === 103);
  // One that was seen is kept although it is down.
  await c.stop();
  await world.until("c is down", () => !a.isConnected("c"));
  await a.stop();
  const { members } = decodeSnapshot(present(await store.load()));
  assertEquals(PeerService.nodeOf(a).overlay.membersOf(members).map(({ name }) => name), ["a", "b", "c"]);
  world.errors.length = 0;
});

scenario(
  "Thousands of made-up members cost few dials at the address that they name, and hold no call up",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    a.register("double", (n: number) => 2 * n);
    const transport = entryOf(world.transports, "a");
    const before = transport.dials;
    const connection = present(entryOf(PeerService.nodeOf(b).pool.peers, "a").at(MEMBERSHIP_CHANNEL, 0));
    const victim = { addresses: [{ hostname: "192.0.2.1", port: 25 }] };
    for (let part = 0; part < 6; part++) {
      const sets = Array.from(
        { length: 1_000 },
        (_, index) => MembershipSet.empty().add(nodeSpec(`ghost ${part} ${index}`, 1, victim)).set,
      );
      const delta = merged(sets);
      assert(sendValue(connection, FrameKind.strategy, gossipToValue({ kind: "delta", delta, wanted: [] })));
      assertEquals(await b.call("a", "double", part), 2 * part);
    }
    const since = world.clock.now();
    await world.until("ten seconds have passed", () => world.clock.now() - since >= 10_000);
    const dials = transport.dials - before;
    assert(dials > 0 && dials < 500, `${dials} dials`);
    assertEquals(await b.call("a", "double", 21), 42);
    world.errors.length = 0;
  },
  ["memory"],
);

scenario("A made-up name with a line break is believed by no node, and no host hears it", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard: string[] = [];
  const service = await world.runtime("service").transport.listen({ hostname: "service", port: 25 }, async (stream) => {
    const buffer = new Uint8Array(4_096);
    const count = await stream.read(buffer) ?? 0;
    heard.push(new TextDecoder().decode(buffer.subarray(0, count)));
    stream.close();
  });
  const spec = nodeSpec("x\r\nQUIT\r\n", 1, { addresses: [service.address] });
  const polite = nodeSpec("polite", 1, { addresses: [service.address] });
  for (const one of [spec, polite]) {
    const { set: delta } = MembershipSet.empty().add(one);
    const connection = present(entryOf(PeerService.nodeOf(b).pool.peers, "a").at(MEMBERSHIP_CHANNEL, 0));
    assert(sendValue(connection, FrameKind.strategy, gossipToValue({ kind: "delta", delta, wanted: [] })));
    if (one === spec) await world.until("it was refused", () => connection.closed && world.errors.length > 0);
    await world.until("they are connected", () => a.isFullyConnected("b") && b.isFullyConnected("a"));
  }
  await world.until("the service was dialed for the polite one", () => heard.length > 0);
  assert(heard.every((said) => !said.includes("QUIT")), `${heard}`);
  assertEquals(a.members().includes(spec.name), false);
  service.close();
  world.errors.length = 0;
}, ["memory"]);

/** All of them in one, pair by pair: one after the other would take quadratic time. */
function merged(sets: readonly MembershipSet[]): MembershipSet {
  let all = [...sets];
  while (all.length > 1) {
    all = Array.from({ length: Math.ceil(all.length / 2) }, (_, at) => {
      const other = all[2 * at + 1];
      return other === undefined ? present(all[2 * at]) : present(all[2 * at]).merge(other);
    });
  }
  return all[0] ?? MembershipSet.empty();
}
