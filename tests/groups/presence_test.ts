// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, fail } from "@std/assert";
import { Presence } from "../../groups/mod.ts";
import type { PeerServiceManager } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { scenario } from "../manager/worlds.ts";
import { type SeededRandom, seededRandom } from "../seeded_random.ts";
import { disturbLinks } from "./link_faults.ts";
import { NaivePresence, type PresenceLike } from "./naive_presence.ts";
import { IS_FULL_SIZE } from "../sim/full_size.ts";
import { firstOf, nthOf } from "../values.ts";

scenario("A user on three nodes is one entry with three metas, and changes are told", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  const all = nodes.map((node) => new Presence(node));
  const changes: unknown[] = [];
  const stream = firstOf(all).watch("room");
  const watching = (async () => {
    for await (const { key, joins, leaves, isPresent } of stream) changes.push([key, joins, leaves, isPresent]);
  })();
  for (const [index, presence] of all.entries()) {
    presence.track("room", "ada", index);
    await world.until("all see it", () => all.every((other) => other.list("room").get("ada")?.length === index + 1));
  }
  assertEquals(all[2]?.list("room"), new Map([["ada", [0, 1, 2]]]));
  assertEquals(all[1]?.list("other"), new Map());
  await nodes[1].stop();
  await world.until("one is gone", () => firstOf(all).list("room").get("ada")?.length === 2);
  nthOf(all, 2).untrack("room", "ada");
  await world.until("another is gone", () => firstOf(all).list("room").get("ada")?.length === 1);
  firstOf(all).untrack("room", "ada");
  using _nothing = firstOf(all).track("other", "bob", undefined);
  assertEquals(all[0]?.list("other"), new Map([["bob", [null]]]));
  await nodes[0].stop();
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

/** Users that each node that runs has tracked, by node and user. */
type Model = Map<string, Map<string, number>>;

interface Disturbed {
  readonly cluster: SimulatedCluster;
  readonly random: SeededRandom;
  readonly model: Model;
  readonly presences: Map<string, PresenceLike>;
  readonly make: (node: PeerServiceManager) => PresenceLike;
}

/** Does one thing at random: to users, or to nodes and links. */
async function disturb({ cluster, random, model, presences, make }: Disturbed): Promise<void> {
  const name = random.pick(NAMES);
  const user = random.pick(USERS);
  const own = model.get(name);
  switch (random.int(9)) {
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
      presences.set(name, make(await cluster.startNode(name)));
      model.set(name, new Map());
      break;
    }
    case 7:
      await disturbLinks(cluster, random, name, NAMES);
      break;
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

/** Whether every node sees what the model says, after the faults of a seed: a sentence where one does not. */
async function play(seed: number, make: (node: PeerServiceManager) => PresenceLike): Promise<string | undefined> {
  const random = seededRandom(seed);
  await using cluster = await SimulatedCluster.start({ nodes: NAMES, seed: `presence ${seed}` });
  const presences = new Map(NAMES.map((name) => [name as string, make(cluster.node(name))]));
  const model: Model = new Map(NAMES.map((name) => [name, new Map()]));
  for (let step = 0; step < 12; step++) await disturb({ cluster, random, model, presences, make });
  await cluster.settled();
  await cluster.advance(5_000);
  const wanted = Deno.inspect(expected(model));
  for (const name of NAMES) {
    const seen = Deno.inspect([...presences.get(name)?.list("room") ?? []]);
    if (seen !== wanted) return `seed ${seed}: ${name} sees ${seen}, expected ${wanted}`;
  }
}

Deno.test(`Presence agrees with a model after freezes, deaths, cuts and restarts, with ${SEEDS} seeds`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) assertEquals(await play(seed, (node) => new Presence(node)), undefined);
});

for (
  const [what, remedies] of [
    ["only broadcasts changes", { forgetsOnDown: false, tellsOnUp: false }],
    ["forgets the users of a node that is down", { forgetsOnDown: true, tellsOnUp: false }],
    ["tells a node that comes up, and forgets no user", { forgetsOnDown: false, tellsOnUp: true }],
    ["does both, without an order between them", { forgetsOnDown: true, tellsOnUp: true }],
  ] as const
) {
  Deno.test(`The model finds out a naive presence that ${what}, within the seeds that ours passes`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      if (await play(seed, (node) => new NaivePresence(node, remedies)) !== undefined) return;
    }
    fail(`${SEEDS} seeds did not tell it from one that works`);
  });
}

Deno.test("Users of a node that is killed are gone on all other nodes as soon as it is down, and do not come back with it", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: NAMES });
  const presences = cluster.nodes.map((node) => new Presence(node));
  for (const [index, presence] of presences.entries()) presence.track("room", nthOf(NAMES, index), null);
  await cluster.advance(1_000);
  const seen: unknown[] = [];
  for (const [index, node] of cluster.nodes.entries()) {
    node.onDown("d", () => {
      const groups = node.attributes("d").size;
      seen.push([node.name, groups, [...nthOf(presences, index).list("room").keys()]]);
    });
  }
  cluster.crash("d");
  await cluster.advance(30_000);
  assertEquals(seen.toSorted(), ["a", "b", "c"].map((name) => [name, 0, ["a", "b", "c"]]));
  await cluster.startNode("d");
  await cluster.settled();
  await cluster.advance(10_000);
  for (const presence of presences.slice(0, 3)) assertEquals([...presence.list("room").keys()], ["a", "b", "c"]);
});
