// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertGreater } from "@std/assert";
import { scenario } from "./worlds.ts";
import { firstOf } from "../values.ts";

scenario("A node measures one peer per round, those first that it has not measured", async (world) => {
  const names = ["a", "b", "c", "d", "e"];
  const a = firstOf(await world.cluster(names, { gossip: { interval: 1_000 } }));
  const known = () => Object.values(a.stats().peers).filter(({ roundTrip }) => roundTrip !== undefined).length;
  const begun = world.clock.now();
  // A round may have passed while the nodes found each other.
  const rounds = names.length - 1 - known();
  await world.until("all are measured", () => known() === names.length - 1);
  assertGreater(world.clock.now() - begun, 1_000 * (rounds - 2));
  assertGreater(1_000 * rounds + 500, world.clock.now() - begun);
}, ["memory"]);
