// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- It prints what it measures.

/** Number of nodes that one process can follow: the logic of a full mesh, without connections, of which there would be half a million. */

import { assertEquals, assertGreater } from "@std/assert";
import { assertWithinBudget } from "../gossip/budget.ts";
import { HeartbeatWorld } from "../gossip/heartbeat_world.ts";
import { seededRandom } from "../seeded_random.ts";
import { nodeNames, settledMesh } from "../strategy/mesh.ts";
import { IS_FULL_SIZE } from "./full_size.ts";
import { firstOf, lastOf } from "../values.ts";

const SIZE = IS_FULL_SIZE ? 1_000 : 250;
const SECONDS = 60;

/** Time, in seconds, at which one node leaves and another one dies. */
const CHANGE_AT = 10;

Deno.test(`${SIZE} nodes of a full mesh gossip and watch each other for ${SECONDS} s of virtual time`, () => {
  const start = performance.now();
  const mesh = settledMesh(seededRandom(1), SIZE);
  const watch = new HeartbeatWorld({ size: SIZE, seed: 1 });
  const [leaver, remover] = nodeNames(2) as [string, string];
  let rounds = 0;
  for (let second = 0; second < SECONDS; second++) {
    if (second === CHANGE_AT) {
      // Of those that are told at once, no node hears it.
      mesh.loss = 1;
      mesh.leave(remover, leaver);
      mesh.loss = 0;
      watch.kill(0);
    }
    mesh.tick();
    mesh.deliver();
    watch.run(1_000);
    if (second >= CHANGE_AT && rounds === 0 && mesh.agree()) rounds = second - CHANGE_AT + 1;
  }

  const took = (performance.now() - start) / 1_000;
  // Each node looks at its peers four times in a heartbeat interval, and gossips once.
  const events = mesh.frames + watch.frames + SIZE * SECONDS * 5;
  console.log(`${events} events in ${took.toFixed(1)} s: ${Math.round(events / took)} events/s`);
  assertGreater(rounds, 1);
  assertWithinBudget(`${SIZE} nodes agree by gossip alone`, rounds, Math.ceil(Math.log2(SIZE)) + 2, "rounds");
  const downs = watch.said("down");
  assertEquals(new Set(downs.map(({ node }) => node)), new Set([firstOf(watch.nodes).identity.name]));
  assertEquals(downs.length, SIZE - 1);
  assertWithinBudget(`${SIZE} nodes notice a silent death`, lastOf(downs).at - CHANGE_AT * 1_000, 10_000, "ms");
});
