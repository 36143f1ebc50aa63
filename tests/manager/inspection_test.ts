// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { scenario } from "./worlds.ts";

scenario(
  "A node that is inspected or made JSON of tells its name, members and addresses, and no secret",
  async (world) => {
    const secret = "not for other eyes";
    const [a, , c] = await world.cluster(["a", "b", "c"], { secret });
    await c.stop();
    await world.until("a has noticed", () => !a.isConnected("c"));
    const shown = JSON.parse(JSON.stringify(a));
    assertEquals([shown.name, shown.up, shown.down, shown.stopped], ["a", ["a", "b"], ["c"], false]);
    assertEquals(shown.listening.length, 1);
    assertEquals(JSON.parse(JSON.stringify(c)).listening, []);

    const inspected = Deno.inspect({ deep: a }, { depth: 20, showHidden: true, getters: true });
    assert(inspected.includes("PeerServiceManager") && inspected.includes('name: "a"'), inspected);
    assertFalse(inspected.includes(secret) || JSON.stringify({ deep: a }).includes(secret));
  },
);
