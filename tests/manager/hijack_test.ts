// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { entryOf } from "../values.ts";
import { claim } from "./claim.ts";
import { scenario } from "./worlds.ts";

/* Row 5 of the issue on trust, in an open cluster: a stranger takes the name of a node that lives. */

scenario(
  "A stranger that claims the name of a living node in an open cluster is refused, and only the operator notices",
  async (world) => {
    const [owner, victim] = await world.cluster(["owner", "victim"]);
    await world.opened([owner, victim]);
    const heard = world.inbox(owner, "log");
    const disturbed: string[] = [];
    const suspicious: string[] = [];
    for (const type of ["down", "suspect", "leave"] as const) {
      for (const node of [owner, victim]) node.addEventListener(type, () => disturbed.push(type));
    }
    victim.addEventListener("trust", ({ detail: { kind, reason } }) => suspicious.push(`${kind}: ${reason}`));
    const { pool } = PeerService.nodeOf(victim);
    const before = entryOf(pool.peers, "owner").connections();
    for (const channel of ["membership", "default"]) {
      for (const to of [victim.name, null]) {
        for (
          const demand of [{}, { seen: 2 ** 40 }, { lost: true }, { ticket: 7 }, { seen: 2 ** 40, lost: true }] as const
        ) {
          const code = await claim(world, owner.spec, victim, { channel, to, ...demand });
          // Where the victim has dialed, and the claimant has not seen that, it need not even be asked about.
          assert(code === "name-in-use" || code === "duplicate", `${channel} ${JSON.stringify(demand)}: ${code}`);
        }
        const code = await claim(world, owner.spec, victim, { channel, to, seen: 2 ** 40 });
        assertEquals(to === null ? "name-in-use" : code, "name-in-use");
        await victim.forwardMessage("owner", "log", `${channel} ${to}`, { ack: true });
      }
    }
    assertEquals(entryOf(pool.peers, "owner").connections(), before);
    assertEquals(heard.messages.length, 4);
    assertEquals(disturbed, []);
    assertEquals(suspicious, [
      'refused: Cannot accept "owner": another living node has the name; choose a different one',
    ]);
  },
);

scenario(
  "A node that lost its connections without a word is let in again, once no node answers over them",
  async (world) => {
    const [owner, victim] = await world.cluster(["owner", "victim"]);
    const heard = world.inbox(victim, "log");
    const { network } = world.simulated;
    const { pool } = PeerService.nodeOf(owner);
    // What both have open carries nothing any more, and only the owner is told so.
    const lost = entryOf(PeerService.nodeOf(victim).pool.peers, "owner").connections();
    network.forget("owner", "victim");
    pool.disconnect(entryOf(pool.peers, "victim"));
    await world.until("the owner is connected anew", () => owner.isFullyConnected("victim"));
    await world.settled([owner, victim]);
    await owner.forwardMessage("victim", "log", 1, { ack: true });
    assertEquals(heard.messages, [1]);
    assert(
      lost.every((connection) =>
        !entryOf(PeerService.nodeOf(victim).pool.peers, "owner").connections().includes(connection)
      ),
    );
  },
  ["memory"],
);

scenario("A node may join an address twice at once: both dials are its own", async (world) => {
  const [victim, node] = [await world.start("victim"), await world.start("node")];
  const [{ hostname, port }] = victim.spec.addresses as [{ hostname: string; port: number }];
  await Promise.all(Array.from({ length: 4 }, () => node.syncJoin(`${hostname}:${port}`)));
  await world.settled([victim, node]);
  assertEquals(victim.stats().connections.refused["name-in-use"], undefined);
});
