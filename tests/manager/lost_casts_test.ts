// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertGreater } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { present } from "../values.ts";

/** Number of runs; `LOST_CASTS_RUNS=1120` has as many as the report did that found casts which vanished. */
const RUNS = Number(Deno.env.get("LOST_CASTS_RUNS") ?? 60);
/** One for each message, so that it can be told which one is meant. */
const NAMES = ["first", "second", "third", "fourth"];

/** Faults that can befall the connections of a pair, so that they are replaced. */
const FAULTS: readonly ((cluster: SimulatedCluster) => void)[] = [
  (cluster) => cluster.reset("a", "b"),
  (cluster) => cluster.cut("a", "b"),
  (cluster) => cluster.cutOneWay("a", "b"),
  (cluster) => cluster.cutOneWay("b", "a"),
  (cluster) => cluster.forget("a", "b"),
  (cluster) => doubt(cluster.node("a"), "b"),
  (cluster) => doubt(cluster.node("b"), "a"),
  (cluster) => {
    doubt(cluster.node("a"), "b");
    doubt(cluster.node("b"), "a");
  },
];

/** Has a node replace its connections with a peer, as it does when it thinks that they carry nothing any more. */
function doubt(node: PeerServiceManager, name: string): void {
  const { pool } = PeerService.nodeOf(node);
  const peer = pool.peers.get(name);
  if (peer !== undefined) pool.doubt(peer);
}

/** Casts from `a` to `b` while connections are replaced. @returns The messages that came, and those of which it was told that they may not. */
async function run(seed: number): Promise<{ came: Set<string>; told: Set<string> }> {
  await using cluster = await SimulatedCluster.start({ seed, nodes: ["a", "b"], options: { log: false } });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const random = cluster.world.random("casts");
  const [came, told] = [new Set<string>(), new Set<string>()];
  for (const name of NAMES) b.register(name, () => void came.add(name));
  a.addEventListener("undeliverable", ({ detail: { name } }) => told.add(name));
  present(FAULTS[Math.floor(random.next() * FAULTS.length)])(cluster);
  for (const name of NAMES) {
    await cluster.advance(random.next() * 200);
    a.castMessage("b", name, 1);
    if (random.next() < 0.3) present(FAULTS[Math.floor(random.next() * FAULTS.length)])(cluster);
    if (random.next() < 0.3) cluster.heal();
  }
  await cluster.advance(random.next() * 5_000);
  cluster.heal();
  await cluster.settled();
  await cluster.advance(30_000);
  return { came, told };
}

Deno.test("What is cast while connections are replaced arrives, or is told to be undeliverable", async () => {
  const vanished: string[] = [];
  const total = { cast: 0, came: 0, told: 0 };
  for (let seed = 1; seed <= RUNS; seed++) {
    const { came, told } = await run(seed);
    for (const name of NAMES) if (!came.has(name) && !told.has(name)) vanished.push(`the ${name} with seed ${seed}`);
    total.cast += NAMES.length;
    total.came += came.size;
    total.told += told.size;
  }
  assertEquals(vanished, []);
  // Or it would mean little.
  assertGreater(total.cast - total.came, RUNS / 10, "few messages were lost");
  // deno-lint-ignore no-console -- It was asked for.
  if (Deno.env.has("LOST_CASTS_RUNS")) console.log(total);
});
