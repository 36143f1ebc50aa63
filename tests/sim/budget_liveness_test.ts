// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Budgets of nodes held for dead, and of the time until all is whole again. */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { PRESETS } from "../../manager/presets.ts";
import { planFaults } from "../../testing/fault_plan.ts";
import { Nemesis } from "../../testing/nemesis.ts";
import type { SeededRandom } from "../../testing/seeded_random.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { assertWithinBudget } from "../gossip/budget.ts";

const SEEDS = [1, 2, 3];

/** Nodes of a cluster in trouble, and for how many milliseconds it is. */
const SIZE = 16;
const TROUBLE_MS = 30_000;

/** Most milliseconds for which a link is cut, or is not: often long enough for all that is heard over it to be missed. */
const CUT_MS = 16_000;

/**
 * Collects dead messages: that a node is held for dead. Each is `"by about"`. A link that carries nothing for long and cannot be dialed makes a node
 * down for the one at its other end; that is no dead message, as no other node is told.
 */
function collectDeadMessages(cluster: SimulatedCluster): string[] {
  const messages: string[] = [];
  for (const node of cluster.nodes) {
    node.onDown("*", (peer) => {
      if (PeerService.nodeOf(node).pool.peers.get(peer)?.silent) messages.push(`${node.name} ${peer}`);
    });
  }
  return messages;
}

/**
 * Cuts a link and opens it again, each for a random time, over and over. Its connections break, or stall; those who dial again are
 * refused, or left waiting, until it opens. @returns A function that tells the number of cuts so far.
 */
function flicker(cluster: SimulatedCluster, random: SeededRandom, a: string, b: string): () => number {
  let cuts = 0;
  const open = () => {
    cluster.world.network.heal(a, b);
    cluster.world.schedule(CUT_MS * random.next(), cut);
  };
  const cut = () => {
    cuts++;
    cluster.cut(a, b, { connects: random.pick(["hang", "refuse"]) });
    if (random.next() < 0.5) cluster.reset(a, b);
    cluster.world.schedule(CUT_MS * random.next(), open);
  };
  cluster.world.schedule(CUT_MS * random.next(), cut);
  return () => cuts;
}

Deno.test("no node that lives is held for dead while half of all connections are cut and dialed again for 30 s", async () => {
  let messages = 0;
  let cuts = 0;
  for (const seed of SEEDS.slice(0, 2)) {
    await using cluster = await SimulatedCluster.start({ nodes: SIZE, seed, resolution: 1 });
    const random = cluster.world.random("cuts");
    const { names } = cluster;
    const links = names.flatMap((a, index) => names.slice(index + 1).map((b) => flicker(cluster, random, a, b)));
    const found = collectDeadMessages(cluster);
    await cluster.advance(TROUBLE_MS);
    messages += found.length;
    cuts += links.reduce((sum, count) => sum + count(), 0);
  }
  assertGreater(cuts, 300);
  assertWithinBudget(`dead messages about the living during ${cuts} cuts`, messages, 0, "messages");
});

Deno.test("a node that stalls for 20 heartbeats has no other node held for dead", async () => {
  const { interval } = PRESETS.lan.heartbeat;
  let others = 0;
  for (const seed of SEEDS) {
    await using cluster = await SimulatedCluster.start({ nodes: SIZE, seed });
    const messages = collectDeadMessages(cluster);
    cluster.pause("n7");
    await cluster.advance(20 * interval);
    assertEquals(messages.filter((message) => message.endsWith(" n7")).length, SIZE - 1);
    cluster.resume("n7");
    await cluster.advance(10 * interval);
    others += messages.filter((message) => !message.endsWith(" n7")).length;
    assertEquals(cluster.disagreement(), undefined);
  }
  assertWithinBudget("dead messages about others because of one that stalls", others, 0, "messages");
});

/** Milliseconds after which TCP tries again to connect, when its first attempt met the cut. */
const FIRST_TRY_MS = 1_000;

/** Fates of connections that a cut goes through: they stall until it heals, or they break. */
const CONNECTIONS = ["stall", "break"] as const;

for (const preset of ["local", "lan", "wan"] as const) {
  const { gossip, backoff } = PRESETS[preset];
  const bound = 2 * gossip.interval + backoff.cap + FIRST_TRY_MS;
  Deno.test(`any partition heals within 2 gossip intervals, the cap of the back-off and TCP's first wait, preset "${preset}"`, async () => {
    let longest = 0;
    for (const seed of SEEDS) {
      for (const connections of CONNECTIONS) {
        for (const intervals of [2, 8, 30]) {
          const duration = intervals * gossip.interval * (1 + seed / 10);
          longest = Math.max(longest, await timeToHeal(seed, preset, connections, duration));
        }
      }
    }
    assertWithinBudget(`healing, preset "${preset}", longest of 18`, longest, bound, "ms");
  });
}

/** Cuts a cluster up in three random ways at once. @returns Milliseconds that it takes to be whole again after that. */
async function timeToHeal(
  seed: number,
  preset: "local" | "lan" | "wan",
  connections: typeof CONNECTIONS[number],
  duration: number,
): Promise<number> {
  await using cluster = await SimulatedCluster.start({ nodes: 6, seed, options: { preset } });
  const random = cluster.world.random(`cuts of ${duration} ms`);
  const cuts = planFaults(random, { nodes: cluster.names, duration, kinds: ["cut"], count: 3 });
  const nemesis = new Nemesis(cluster);
  nemesis.schedule(cuts.map((fault) => ({ ...fault, at: 0, duration: 2 * duration })));
  await cluster.advance(duration / 10);
  if (connections === "break") {
    for (const cut of cuts) if (cut.kind === "cut") { for (const [from, to] of cut.ways) cluster.reset(from, to); }
  }
  await cluster.advance(duration);
  assert(connections === "stall" || cluster.disagreement() !== undefined);
  await nemesis.end();
  return await cluster.settled();
}
