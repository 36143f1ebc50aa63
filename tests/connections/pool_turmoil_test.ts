// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { SeededRandom } from "../../testing/seeded_random.ts";
import { uniformLatency } from "../../transport/memory/memory_links.ts";
import {
  assertConnected,
  BACKOFF,
  COURTESY,
  HANDSHAKE_TIMEOUT,
  IDLE_GRACE,
  type PoolNode,
  type PoolNodeOptions,
  PoolWorld,
  wantEachOther,
} from "./pool_world.ts";
import { entryOf, firstOf } from "../values.ts";

const SEEDS = 40;
const NAMES = ["a", "b", "c"];

/** Each of `up` and `down` of a peer, and of a channel of it, and so on, follows on the other one only. */
function assertAlternates(told: readonly string[], note: string): void {
  const opposites: Record<string, string> = { up: "down", linked: "unlinked" };
  const last = new Map<string, string>();
  for (const event of told) {
    const [word, peer] = event.split(" ") as [string, string];
    const isChannel = /^[+-]/.test(word);
    const begins = isChannel ? word.startsWith("+") : word in opposites;
    const topic = isChannel ? `${word.slice(1)} ${peer}` : `${opposites[word] ?? word} ${peer}`;
    assertEquals(last.get(topic) ?? "ended", begins ? "ended" : "begun", `${note}: ${event}`);
    last.set(topic, begins ? "begun" : "ended");
  }
}

/** One thing that goes wrong, or changes, or heals. */
async function mishap(
  world: PoolWorld,
  nodes: Map<string, PoolNode>,
  random: SeededRandom,
  trust: PoolNodeOptions,
): Promise<void> {
  const { network } = world.world;
  const [a, b] = random.shuffle(NAMES) as [string, string];
  const node = entryOf(nodes, a);
  const peer = node.pool.peers.get(b);
  switch (random.int(12)) {
    case 0:
      return network.reset(a, b);
    case 1:
      return network.cut(a, b, { connects: random.pick(["hang", "refuse"]) });
    case 2:
      return network.cutOneWay(a, b);
    case 3:
      return network.heal();
    case 4:
      return node.pool.want([entryOf(nodes, b).spec]);
    case 5:
      return wantEachOther(...nodes.values());
    case 6:
      return peer && node.pool.doubt(peer);
    case 7:
      return peer && node.pool.silence(peer);
    case 8:
      return peer && node.pool.revive(peer);
    case 9:
      return peer?.connections().at(random.int(4))?.close();
    case 10:
      node.pool.reach(b, entryOf(nodes, b).spec.addresses).catch(() => {});
      return;
    default: {
      world.world.crash(a, { reset: random.next() < 0.5 });
      const { incarnation, addresses } = node.spec;
      const channels = { bulk: 1 + random.int(3) };
      const options = { ...trust, incarnation: incarnation + 1, port: firstOf(addresses).port, channels };
      nodes.set(a, await world.start(a, options));
    }
  }
}

/** Sends a byte over each connection. */
function talk(node: PoolNode): void {
  for (const name of node.pool.peers.keys()) node.greet(name);
}

Deno.test("pools that went through any turmoil end with one connection per slot, and nothing else", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = new PoolWorld({ seed, latency: uniformLatency(0.5, 20) });
    const random = world.world.random("turmoil");
    const nodes = new Map<string, PoolNode>();
    // Sealed connections change their keys all the time, also while they are cut.
    const trust = seed % 2 === 0 ? {} : { secrets: ["s3cret"], identity: { rekeyInterval: 1 + random.int(3) } };
    for (const name of NAMES) {
      nodes.set(name, await world.start(name, { ...trust, channels: { bulk: 1 + random.int(3) } }));
    }
    wantEachOther(...nodes.values());
    for (let step = 0; step < 60; step++) {
      await world.advance(random.pick([1, 10, 100, 1000]) * random.next());
      await mishap(world, nodes, random, trust);
      for (const name of NAMES) talk(entryOf(nodes, name));
      // Each of the 2 × 2 parties of a slot may have one connection that is being opened, and one that is being replaced.
      for (const name of NAMES) assertLessOrEqual(world.streams(name), 2 * 5 * 4, `seed ${seed}, step ${step}`);
    }
    world.world.network.heal();
    wantEachOther(...nodes.values());
    for (const node of nodes.values()) {
      for (const peer of node.pool.peers.values()) node.pool.revive(peer);
    }
    await world.advance(2 * HANDSHAKE_TIMEOUT + BACKOFF.cap + COURTESY + IDLE_GRACE);
    const all = [...nodes.values()];
    assertConnected(world, all, `seed ${seed}`);
    for (const node of all) assertAlternates(node.told, `seed ${seed}, node ${node.spec.name}`);
    assert(await world.isQuiet(), `seed ${seed} is not quiet`);
    for (const { pool } of all) pool.stop();
    await world.advance(HANDSHAKE_TIMEOUT);
    for (const name of NAMES) assertEquals(world.streams(name), 0, `seed ${seed}: streams of ${name} after stop()`);
    assert(await world.isQuiet(), `seed ${seed} is not quiet after stop()`);
  }
});
