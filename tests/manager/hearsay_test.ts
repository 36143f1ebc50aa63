// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { sendValue } from "../../connections/send_value.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { gossipToValue } from "../../gossip/gossip_message.ts";
import { MembershipSet } from "../../membership/membership_set.ts";
import { scenario } from "./worlds.ts";
import { entryOf, nthOf, present } from "../values.ts";

/** Has one node tell another one whatever it likes. */
function tell(from: PeerServiceManager, to: string, message: unknown): void {
  const peer = entryOf(PeerService.nodeOf(from).pool.peers, to);
  assert(sendValue(present(peer.membership), FrameKind.strategy, message));
}

/** Membership that has these nodes in other incarnations than they are in. */
function claims(nodes: readonly PeerServiceManager[], ahead: number, isThere: boolean): MembershipSet {
  return nodes.map(({ spec }) => {
    const { set } = MembershipSet.empty().add({ ...spec, incarnation: spec.incarnation + ahead });
    return isThere ? set : set.leave(spec.name).set;
  }).reduce((all, one) => all.merge(one));
}

/** Watches for nodes that are taken for gone, or take themselves for gone. */
function watch(nodes: readonly PeerServiceManager[]): string[] {
  const seen: string[] = [];
  for (const node of nodes) {
    for (const type of ["down", "leave", "removed"] as const) {
      node.addEventListener(type, ({ detail }) => seen.push(`${node.name}: ${type} ${detail.node}`));
    }
  }
  return seen;
}

for (const isThere of [true, false]) {
  const what = isThere ? "has every node's next incarnation" : "says that every node's next incarnation left";
  scenario(`A stranger's join frame that ${what} ends no node`, async (world) => {
    const nodes = await world.cluster(["a", "b", "c", "d"]);
    const seen = watch(nodes);
    const stranger = await world.start("stranger");
    await PeerService.nodeOf(stranger).pool.reach("a", nodes[0].spec.addresses);
    tell(stranger, "a", gossipToValue({ kind: "join", members: claims(nodes, 1, isThere) }));
    tell(stranger, "a", gossipToValue({ kind: "delta", delta: claims(nodes, 1, isThere), wanted: [] }));
    await world.until("the stranger was heard", () => PeerService.nodeOf(nodes[0]).refutation.ignored > 0);
    await nodes[1].forwardMessage("a", "none", 1);
    assertEquals(seen, []);
    assertEquals(nodes.map((node) => node.members()), nodes.map(() => ["a", "b", "c", "d"]));
    await stranger.stop();
    world.nodes.splice(world.nodes.indexOf(stranger), 1);
    world.errors.length = 0;
  });

  scenario(
    `A member's word that ${what} ends no node, and costs each of them one incarnation at most`,
    async (world) => {
      const nodes = await world.cluster(["a", "b", "c", "d"]);
      const [liar, ...others] = nodes as [PeerServiceManager, ...PeerServiceManager[]];
      const before = others.map(({ spec }) => spec.incarnation);
      let removed = 0;
      for (const node of others) node.addEventListener("removed", () => removed++);
      for (let round = 0; round < 20; round++) {
        for (const { name } of others) {
          const message = gossipToValue({ kind: "delta", delta: claims(others, 1_000 + round, isThere), wanted: [] });
          if (PeerService.nodeOf(liar).pool.peers.get(name)?.membership) tell(liar, name, message);
        }
      }
      await world.until("all are settled", () => others.every((node) => node.members().length === 4));
      await world.settled(nodes);
      assertEquals(removed, 0);
      // Each heard it of itself once, and what came right after that was ignored.
      for (const [index, { spec }] of others.entries()) {
        assertLessOrEqual(spec.incarnation - nthOf(before, index), 60_000);
      }
      world.errors.length = 0;
    },
  );
}

scenario("A made-up incarnation far in the future burns no name", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  const ahead = Number.MAX_SAFE_INTEGER - nodes[2].spec.incarnation;
  const seen = watch(nodes);
  for (const to of ["b", "c"]) {
    for (const isThere of [true, false]) {
      const delta = claims([nodes[2]], ahead, isThere);
      tell(nodes[0], to, gossipToValue({ kind: "delta", delta, wanted: [] }));
    }
  }
  const ignored = () => nodes.map((node) => PeerService.nodeOf(node).refutation.ignored);
  await world.until("it was heard", () => ignored().join() === "0,2,2");
  await world.settled(nodes);
  assertEquals(seen, []);
  // A later incarnation of that name is welcome as ever.
  await nodes[2].leave();
  await nodes[2].syncJoin(nodes[0].spec);
  await world.settled(nodes);
});

scenario("A member removes another one, unless that does not allow it: then it comes back", async (world) => {
  const a = await world.start("a");
  const b = await world.start("b", { allow: { removal: false } });
  const c = await world.start("c");
  await b.syncJoin(a.spec);
  await c.syncJoin(a.spec);
  await world.settled([a, b, c]);
  const before = b.spec.incarnation;
  await a.leave("c");
  await world.until("c has stopped", () => b.members().join() === "a,b");
  await a.leave("b");
  await world.until("b is back", () => b.spec.incarnation > before && a.members().join() === "a,b");
  await world.settled([a, b]);
}, ["memory"]);

scenario("A node that is said to be elsewhere answers with a newer incarnation, which all believe", async (world) => {
  const [liar, victim, other] = await world.cluster(["liar", "victim", "other"]);
  const { spec } = victim;
  const elsewhere = { ...spec, addresses: [{ hostname: "elsewhere", port: 1 }] };
  const { set } = MembershipSet.empty().add(spec).set.add(elsewhere);
  tell(liar, "victim", gossipToValue({ kind: "delta", delta: set, wanted: [] }));
  await world.until("it has answered", () => victim.spec.incarnation > spec.incarnation);
  await world.settled([liar, victim, other]);
  for (const node of [liar, other]) assertEquals(node.memberInfo("victim")?.spec.addresses, spec.addresses);
  world.errors.length = 0;
});
