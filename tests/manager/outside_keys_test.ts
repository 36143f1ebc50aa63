// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { nodeView } from "../../ops/page/cluster_views.ts";
import { scenario } from "./worlds.ts";

/** Names that every plain object inherits, or that mean something special on one. */
const INHERITED = ["toString", "constructor", "__proto__", "hasOwnProperty", "valueOf"];

for (const name of INHERITED) {
  scenario(`A channel, handler, node, attribute, cluster and metadata key may be called "${name}"`, async (world) => {
    const channels = Object.fromEntries([[name, { parallelism: 2, monotonic: false }]]);
    const metadata = Object.fromEntries([[name, name]]);
    const a = await world.start(name, { channels, cluster: name, metadata });
    const b = await world.start("b", { cluster: name });
    await b.syncJoin(a.spec);
    await world.settled([a, b]);
    assertEquals(b.membersForOrchestration().map(({ name }) => name).sort(), [name, "b"].sort());
    const [there, here] = [world.inbox(b, name), world.inbox(a, name)];
    for (let number = 0; number < 500; number++) {
      a.castMessage("b", name, number, { channel: name });
      b.castMessage(name, name, number, { channel: name });
    }
    await world.until("all have arrived", () => there.messages.length === 500 && here.messages.length === 500);
    assertEquals(Object.keys(b.stats().peers), [name]);
    a.setAttribute(name, "said");
    await world.until("it is heard", () => b.attribute(name, name) === "said");
    // What the page shows, and what an operator reads.
    assertEquals(Object.entries(nodeView(PeerService.nodeOf(b)).sees), [[name, "u"]]);
    await a.stop();
    await world.until("it is down", () => !b.isConnected(name));
    assertEquals(Object.entries(nodeView(PeerService.nodeOf(b)).sees), [[name, "d"]]);
  });
}
