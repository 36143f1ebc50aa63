// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertGreater } from "@std/assert";
import { scenario } from "./worlds.ts";

scenario("A node measures one peer per round, those first that it has not measured", async (world) => {
  const names = ["a", "b", "c", "d", "e"];
  const [a] = await world.cluster(names, { gossip: { interval: 1_000 } });
  const known = () => Object.values(a!.stats().peers).filter(({ roundTrip }) => roundTrip !== undefined).length;
  assertEquals(known(), 0);
  const begun = world.clock.now();
  await world.until("all are measured", () => known() === names.length - 1);
  assertGreater(world.clock.now() - begun, 2_000);
  assertGreater(4_500, world.clock.now() - begun);
}, ["memory"]);
