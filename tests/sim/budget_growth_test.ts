// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Budgets of what grows with the number of nodes, and of what must not. */

import { assert, assertEquals } from "@std/assert";
import { PRESETS } from "../../manager/presets.ts";
import { assertWithinBudget } from "../gossip/budget.ts";
import { IS_FULL_SIZE } from "./full_size.ts";
import { CountedCluster } from "./traffic.ts";
import { lastOf, present } from "../values.ts";

/** By number of nodes: most bytes per node and second when idle, and how many deaths are to be noticed within how many milliseconds. */
const SIZES = [
  { size: 10, idleBytes: 2_000, deaths: 20, noticed: 5_500 },
  { size: 20, idleBytes: 2_000, deaths: 0, noticed: 0 },
  { size: 40, idleBytes: 3_000, deaths: 0, noticed: 0 },
  { size: 100, idleBytes: 4_000, deaths: 3, noticed: 10_000 },
  ...(IS_FULL_SIZE ? [{ size: 200, idleBytes: 6_000, deaths: 1, noticed: 10_000 }] : []),
];

/** Milliseconds until every node agrees after all have joined one node at once, and bytes that it costs per ordered pair of nodes. */
const STORM_MS = 5_000;
const STORM_BYTES_PER_PAIR = 1_000;

/** Milliseconds of idleness that are measured. */
const IDLE_MS = 10_000;

const { interval } = PRESETS.lan.heartbeat;

/** Measurements, by number of nodes. */
const framesWhenIdle = new Map<number, number>();
const stormBytesPerPair = new Map<number, number>();

for (const { size, idleBytes, deaths, noticed } of SIZES) {
  Deno.test(`${size} nodes join one at once, cost little when idle, and notice deaths`, async () => {
    await using cluster = new CountedCluster({ seed: size, resolution: 2 });
    assertWithinBudget(`${size} nodes join one at once and agree`, await cluster.storm(size), STORM_MS, "ms");
    const perPair = cluster.traffic.bytes / (size * (size - 1));
    assertWithinBudget(`joining costs per ordered pair of ${size}`, perPair, STORM_BYTES_PER_PAIR, "bytes");
    stormBytesPerPair.set(size, perPair);

    await cluster.advance(2 * interval);
    const before = cluster.traffic;
    await cluster.advance(IDLE_MS);
    const { bytes, frames } = cluster.traffic;
    assert(bytes > before.bytes && frames > before.frames);
    const perSecond = (bytes - before.bytes) / size / (IDLE_MS / 1_000);
    assertWithinBudget(`each of ${size} idle nodes sends`, perSecond, idleBytes, "bytes/s");
    framesWhenIdle.set(size, (frames - before.frames) / size / (IDLE_MS / interval));

    if (deaths > 0) await checkDeaths(cluster, deaths, noticed);
  });
}

/** Lets one node after the other die at a random moment, and come back. */
async function checkDeaths(cluster: CountedCluster, deaths: number, bound: number): Promise<void> {
  const random = cluster.world.random("deaths");
  const { names } = cluster;
  let longest = 0;
  for (let count = 0; count < deaths; count++) {
    await cluster.advance(interval * random.next());
    const name = random.pick(names.slice(1));
    longest = Math.max(longest, await cluster.silentDeath(name));
    assertEquals(cluster.nodes.filter((node) => node.connected().length !== names.length - 2).length, 0);
    await cluster.startNode(name);
    await cluster.settled();
  }
  assertWithinBudget(`${names.length} nodes notice a silent death, longest of ${deaths}`, longest, bound, "ms");
}

Deno.test("a node sends as many frames when idle, however many nodes there are", () => {
  assertEquals(framesWhenIdle.size, SIZES.length);
  const counts = [...framesWhenIdle.values()];
  const mean = counts.reduce((sum, count) => sum + count) / counts.length;
  for (const [size, count] of framesWhenIdle) {
    const deviation = 100 * Math.abs(count / mean - 1);
    assertWithinBudget(`${size} idle nodes send ${count} frames each, off the mean by`, deviation, 10, "%");
  }
});

Deno.test("what it costs that all nodes join one at once grows with the pairs of nodes, and no faster", () => {
  assertEquals(stormBytesPerPair.size, SIZES.length);
  const [[least, few], [most, many]] = [present([...stormBytesPerPair].at(0)), lastOf([...stormBytesPerPair])];
  assertWithinBudget(`what a pair of ${most} nodes costs, to what one of ${least} does`, many / few, 1.1, "times");
});
