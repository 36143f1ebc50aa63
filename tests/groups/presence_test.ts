// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { Presence } from "../../groups/mod.ts";
import type { PeerServiceManager } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { scenario } from "../manager/worlds.ts";
import { type SeededRandom, seededRandom } from "../seeded_random.ts";
import { IS_FULL_SIZE } from "../sim/full_size.ts";

scenario("A user on three nodes is one entry with three metas, and changes are told", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  const all = nodes.map((node) => new Presence(node));
  const changes: unknown[] = [];
  const stream = all[0]!.watch("room");
  const watching = (async () => {
    for await (const { key, joins, leaves, isPresent } of stream) changes.push([key, joins, leaves, isPresent]);
  })();
  for (const [index, presence] of all.entries()) {
    presence.track("room", "ada", index);
    await world.until("all see it", () => all.every((other) => other.list("room").get("ada")?.length === index + 1));
  }
  assertEquals(all[2]?.list("room"), new Map([["ada", [0, 1, 2]]]));
  assertEquals(all[1]?.list("other"), new Map());
  await nodes[1]!.stop();
  await world.until("one is gone", () => all[0]!.list("room").get("ada")?.length === 2);
  all[2]!.untrack("room", "ada");
  await world.until("another is gone", () => all[0]!.list("room").get("ada")?.length === 1);
  all[0]!.untrack("room", "ada");
  await nodes[0]!.stop();
  await watching;
  assertEquals(changes, [
    ["ada", [0], [], true],
    ["ada", [1], [], true],
    ["ada", [2], [], true],
    ["ada", [], [1], true],
    ["ada", [], [2], true],
    ["ada", [], [0], false],
  ]);
});

const SEEDS = IS_FULL_SIZE ? 400 : 100;
const NAMES = ["a", "b", "c", "d"] as const;
const USERS = ["ada", "bob", "cyd"];

/** What each node that runs has tracked, by node and user. */
type Model = Map<string, Map<string, number>>;

/** Does one thing at random: to users, or to nodes and links. */
async function disturb(
  cluster: SimulatedCluster,
  random: SeededRandom,
  model: Model,
  presences: Map<string, Presence>,
): Promise<void> {
  const name = random.pick(NAMES);
  const user = random.pick(USERS);
  const own = model.get(name);
  switch (random.int(8)) {
    case 0:
    case 1:
    case 2:
      presences.get(name)?.untrack("room", user);
      presences.get(name)?.track("room", user, 1);
      own?.set(user, 1);
      break;
    case 3:
      presences.get(name)?.untrack("room", user);
      own?.delete(user);
      break;
    case 4:
      cluster.cut([name], NAMES.filter((other) => other !== name));
      await cluster.advance(random.int(20_000));
      cluster.heal();
      break;
    case 5:
      cluster.pause(name);
      await cluster.advance(random.int(20_000));
      cluster.resume(name);
      break;
    case 6: {
      cluster.crash(name);
      await cluster.advance(random.int(10_000));
      presences.set(name, new Presence(await cluster.startNode(name)));
      model.set(name, new Map());
      break;
    }
    default:
      await cluster.advance(random.int(3_000));
  }
}

function expected(model: Model): [string, unknown[]][] {
  return USERS.flatMap((user): [string, unknown[]][] => {
    const metas = NAMES.flatMap((name) => model.get(name)?.has(user) ? [1] : []);
    return metas.length === 0 ? [] : [[user, metas]];
  });
}

Deno.test(`Presence agrees with a model after freezes, deaths, cuts and restarts, with ${SEEDS} seeds`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed);
    await using cluster = await SimulatedCluster.start({ nodes: NAMES, seed: `presence ${seed}` });
    const nodes = new Map<string, PeerServiceManager>(NAMES.map((name) => [name, cluster.node(name)]));
    const presences = new Map([...nodes].map(([name, node]) => [name, new Presence(node)]));
    const model: Model = new Map(NAMES.map((name) => [name, new Map()]));
    for (let step = 0; step < 12; step++) await disturb(cluster, random, model, presences);
    await cluster.settled();
    await cluster.advance(5_000);
    for (const name of NAMES) {
      assertEquals([...presences.get(name)?.list("room") ?? []], expected(model), `seed ${seed}, as ${name} sees it`);
    }
  }
});
