// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { CallError } from "../../mod.ts";
import { Placement } from "../../placement/mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { type SeededRandom, seededRandom } from "../seeded_random.ts";
import { IS_FULL_SIZE } from "../sim/full_size.ts";

const KEYS = Array.from({ length: 5_000 }, (_, index) => `key-${index}`);
/** More than four standard deviations of a share of so many keys, for any share. */
const TOLERANCE = 4 * Math.sqrt(0.25 / KEYS.length);
const SEEDS = IS_FULL_SIZE ? 400 : 8;

Deno.test("A node that comes or goes moves its share of the keys, 1/N, and none between the others", async () => {
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  await using cluster = await SimulatedCluster.start({ nodes: ["a"] });
  const placement = new Placement(cluster.node("a"));
  const owners = () => KEYS.map((key) => placement.owner(key));
  const compare = (before: readonly string[], after: readonly string[], node: string, count: number) => {
    const moved = KEYS.flatMap((_, index) => before[index] === after[index] ? [] : [[before[index], after[index]]]);
    assert(
      moved.length / KEYS.length <= 1 / count + TOLERANCE,
      `${moved.length} keys moved with "${node}" of ${count}`,
    );
    assert(
      moved.length / KEYS.length >= 1 / count - TOLERANCE,
      `${moved.length} keys moved with "${node}" of ${count}`,
    );
    assertEquals(moved.filter((ends) => !ends.includes(node)), []);
  };
  for (const [index, name] of names.slice(1).entries()) {
    const before = owners();
    await cluster.startNode(name);
    await cluster.settled();
    compare(before, owners(), name, index + 2);
  }
  for (const [index, name] of names.slice(1).entries()) {
    const before = owners();
    await (index % 2 === 0 ? cluster.wait(cluster.node(name).leave()) : Promise.resolve(cluster.crash(name)));
    await cluster.advance(30_000);
    compare(before, owners(), name, names.length - index);
  }
});

Deno.test("An owner holds 4,000 requests for keys that are on their way, and refuses the next one by name", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], options: { preset: "lan" } });
  const atA = new Placement(cluster.node("a"));
  new Placement(cluster.node("b"));
  const c = await cluster.startNode("c", { join: false });
  new Placement(c);
  for (const node of cluster.nodes) node.register("who", () => node.name);
  await c.join(cluster.node("a").spec);
  assert(await cluster.runUntil(() => KEYS.some((each) => atA.owner(each) === "c")));
  const moved = KEYS.find((each) => atA.owner(each) === "c") ?? "";
  const answers = await cluster.wait(
    Promise.allSettled(Array.from({ length: 4_003 }, () => atA.callOwner(moved, "who", 1))),
  );
  const served = answers.flatMap((answer) => answer.status === "fulfilled" ? [answer.value] : []);
  assertEquals([served.length, new Set(served)], [4_000, new Set(["c"])]);
  for (const answer of answers) {
    if (answer.status === "fulfilled") continue;
    assert(answer.reason instanceof CallError);
    assertEquals(answer.reason.remote.name, "OwnershipMovingError");
  }
  assertEquals(await cluster.wait(atA.callOwner(moved, "who", 1)), "c", "later it takes requests as ever");
});

/** Nodes that count, by key, which of them served it, one after the other. */
class Shop {
  readonly served = new Map<string, string[]>();
  readonly errors = new Set<string>();
  readonly placements = new Map<string, Placement>();
  readonly cluster: SimulatedCluster;
  calls = 0;

  constructor(cluster: SimulatedCluster) {
    this.cluster = cluster;
    for (const name of cluster.names) this.open(name);
  }

  open(name: string): void {
    const node = this.cluster.node(name);
    this.placements.set(name, new Placement(node));
    node.register("serve", (key: string) => void this.served.set(key, [...this.served.get(key) ?? [], name]));
  }

  /** Has requests come from all nodes, while time passes. */
  async open24Hours(random: SeededRandom, ms: number): Promise<void> {
    const end = this.cluster.now + ms;
    while (this.cluster.now < end) {
      for (const name of this.cluster.names) {
        const key = `key-${random.int(12)}`;
        this.calls++;
        this.placements.get(name)?.callOwner(key, "serve", key)
          .catch((error) => this.errors.add(error instanceof CallError ? error.remote.name : error.name));
      }
      await this.cluster.advance(1 + random.int(120));
    }
  }
}

Deno.test(`A key that moves is served by its former owner, then by the next, and never by both in turn, with ${SEEDS} seeds`, async () => {
  const names = ["a", "b", "c", "d", "e"];
  const errors = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed);
    await using cluster = await SimulatedCluster.start({ nodes: names.slice(0, 3), seed: `keys ${seed}` });
    const shop = new Shop(cluster);
    for (let step = 0; step < 5; step++) {
      const absent = names.filter((name) => !cluster.has(name));
      const name = random.pick(cluster.names.slice(1));
      shop.served.clear();
      if (absent.length > 0 && (cluster.names.length < 3 || random.chance(0.5))) {
        const next = random.pick(absent);
        await cluster.startNode(next);
        shop.open(next);
      } else if (random.chance(0.2)) cluster.reset(name, cluster.names.filter((other) => other !== name));
      else if (random.chance(0.3)) cluster.crash(name);
      else if (random.chance(0.5)) cluster.node(name).leave().then(() => cluster.crash(name));
      else cluster.node(name).setAttribute("draining", cluster.node(name).attribute(name, "draining") !== true);
      await shop.open24Hours(random, 12_000);
      for (const [key, servers] of shop.served) {
        const turns = servers.filter((server, index) => server !== servers[index - 1]);
        assert(turns.length <= 2, `seed ${seed}, step ${step}: "${key}" was served by ${turns}`);
      }
    }
    for (const error of shop.errors) errors.add(error);
  }
  const named = [
    "NotOwnerError",
    "OwnershipMovingError",
    "NotConnectedError",
    "CallError",
    "NoHandlerError",
    "NodeDownError",
    "StoppedError",
    // A node that drained and left knows no node that takes work.
    "RangeError",
  ];
  assertEquals([...errors].filter((error) => !named.includes(error)), []);
});
