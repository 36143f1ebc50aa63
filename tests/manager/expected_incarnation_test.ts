// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { decodeSnapshot } from "../../membership/snapshot_format.ts";
import { MemoryStore } from "../../testing/memory_store.ts";
import { nodeSpec } from "../node_spec.ts";
import { claim } from "./claim.ts";
import { scenario } from "./worlds.ts";
import { present } from "../values.ts";

/* Row 6 of the issue on trust: a stranger says in its hello which incarnation of a node it expects. */

scenario(
  "A hello that expects an incarnation which cannot be changes nothing, and the store stays as it is",
  async (world) => {
    const store = new MemoryStore();
    const victim = await world.start("victim", { store });
    const { incarnation } = victim.spec;
    for (const ahead of [86_400_000 + 60_000, 2 ** 52]) {
      const toIncarnation = Math.min(incarnation + ahead, Number.MAX_SAFE_INTEGER);
      assertEquals(await claim(world, nodeSpec("stranger"), victim, { toIncarnation }), "protocol");
    }
    assertEquals(
      await claim(world, nodeSpec("stranger"), victim, { toIncarnation: Number.MAX_SAFE_INTEGER }),
      "protocol",
    );
    assertEquals(victim.spec.incarnation, incarnation);
    const peer = await world.start("peer");
    await peer.syncJoin(victim.spec);
    await victim.stop();
    assertEquals(decodeSnapshot(present(await store.load())).incarnation, incarnation);
    const again = await world.start("victim", { store });
    await world.settled([again, peer]);
  },
);

scenario("Hellos that expect ever newer incarnations force few of them on a node", async (world) => {
  const [victim, other] = await world.cluster(["victim", "other"]);
  const incarnations = new Set([victim.spec.incarnation]);
  for (let hello = 0; hello < 57; hello++) {
    await claim(world, nodeSpec("stranger"), victim, { toIncarnation: victim.spec.incarnation + 1 + hello });
    incarnations.add(victim.spec.incarnation);
  }
  assertGreater(incarnations.size, 1);
  // The one that it had, and those that it believed: three in ten minutes.
  assertLessOrEqual(incarnations.size, 4);
  await world.settled([victim, other]);
});
