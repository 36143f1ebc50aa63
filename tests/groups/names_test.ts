// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { type NameClaim, type NameHolder, NameLostError, Names, NameTakenError } from "../../groups/mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { scenario } from "../manager/worlds.ts";
import { seededRandom } from "../seeded_random.ts";
import { IS_FULL_SIZE } from "../sim/full_size.ts";
import { disturbLinks } from "./link_faults.ts";
import { forEachOf } from "../tuples.ts";
import { firstOf, nthOf } from "../values.ts";

scenario("A name has one owner, all nodes know which, and it is free once it was given up", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  const [atA, atB, atC] = forEachOf(nodes, (node) => new Names(node)) as [Names, Names, Names];
  const claim = await atA.claim("printer", { tray: 1 });
  await world.until("c knows it", () => atC.whereis("printer") !== undefined);
  assertEquals(atC.whereis("printer"), { node: "a", meta: { tray: 1 } });
  assertEquals(atC.whereis("scanner"), undefined);
  const refused = await assertRejects(() => atB.claim("printer"), NameTakenError, 'the owner is "a"');
  assertEquals(refused.owner, "a");
  await assertRejects(() => new Names(nodes[0]).claim("printer"), NameTakenError, 'the owner is "a"');
  assertEquals(new Names(nodes[1], { scope: "other" }).whereis("printer"), undefined);
  claim[Symbol.dispose]();
  assertInstanceOf(claim.signal.reason, NameLostError);
  const next = await atB.claim("printer");
  claim[Symbol.dispose]();
  await world.until("c knows the next one", () => atC.whereis("printer")?.node === "b");
  assert(!next.signal.aborted);
});

scenario("Of nodes that claim a name at the same time exactly one gets it", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  for (const name of ["x", "y", "z"]) {
    const claims = await Promise.allSettled(nodes.map(async (node) => await new Names(node).claim(name)));
    const refused = claims.filter(({ status }) => status === "rejected");
    assertEquals(refused.length, 2);
    for (const { reason } of refused as PromiseRejectedResult[]) assertInstanceOf(reason, NameTakenError);
  }
});

scenario(
  "A name is free once its owner is down, drains or stops, and a claim waits for nodes without names",
  async (world) => {
    const [a, b, c] = await world.cluster(["a", "b", "c"]);
    assert(a !== undefined && b !== undefined && c !== undefined);
    const [atA, atB] = [new Names(a), new Names(b)];
    const claims = [await atA.claim("x"), await atB.claim("y")];
    b.setAttribute("draining", true);
    assertInstanceOf(claims[1]?.signal.reason, NameLostError);
    await world.until("a knows that y is free", () => atA.whereis("y") === undefined);
    await atA.claim("y");
    await a.stop();
    assertEquals(`${claims[0]?.signal.reason}`, 'NameLostError: Cannot keep "x": this node has stopped');
    const late = new Names(c);
    await world.until("c knows that x is free", () => late.whereis("x") === undefined);
    assert(!(await late.claim("x")).signal.aborted);
  },
);

scenario("A name takes no nonsense", async (world) => {
  const names = new Names(await world.start("a"));
  await assertRejects(() => names.claim(""), TypeError, "as a name");
  await assertRejects(() => names.claim("x", new Uint8Array(70_000)), RangeError, "attributes");
  assertEquals(names.whereis("x"), undefined);
  assert(!(await names.claim("x")).signal.aborted);
});

/** Lets two halves of a cluster each claim the name `x`: `a` first, then `c`. */
async function split(
  decide?: (claims: readonly NameHolder[]) => NameHolder | undefined,
): Promise<
  { cluster: SimulatedCluster; seen: [string, readonly NameHolder[]][]; claims: NameClaim[]; names: Names[] }
> {
  const cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c", "d"] });
  const seen: [string, readonly NameHolder[]][] = [];
  const names = cluster.nodes.map((node) =>
    new Names(node, {
      onConflict: (_name, claims) => {
        seen.push([node.name, claims]);
        return decide?.(claims);
      },
    })
  );
  cluster.cut(["a", "b"], ["c", "d"]);
  await cluster.advance(20_000);
  const claims = [await cluster.wait(firstOf(names).claim("x", 1))];
  await cluster.advance(1_000);
  claims.push(await cluster.wait(nthOf(names, 2).claim("x", 2)));
  await cluster.advance(1_000);
  assertEquals(names.map((one) => one.whereis("x")?.node), ["a", "a", "c", "c"]);
  cluster.heal();
  await cluster.settled();
  await cluster.advance(5_000);
  return { cluster, seen, claims, names };
}

Deno.test("After a partition the later claim stays, the conflict is told with both, and the other owner is told", async () => {
  const { cluster, seen, claims, names } = await split();
  await using _cluster = cluster;
  assertEquals(seen.map(([node, both]) => [node, both.map(({ node, meta }) => [node, meta])]), [
    ["c", [["c", 2], ["a", 1]]],
  ]);
  assert((seen[0]?.[1][0]?.since ?? 0) > (seen[0]?.[1][1]?.since ?? 0));
  assertEquals(names.map((one) => one.whereis("x")?.node), ["c", "c", "c", "c"]);
  assertEquals(claims.map(({ signal }) => signal.aborted), [true, false]);
  const lost = claims[0]?.signal.reason;
  assertInstanceOf(lost, NameLostError);
  assertEquals([lost.owner, lost.message], ["c", 'Cannot keep "x": "c" has it now']);
});

Deno.test("After a partition onConflict decides which claim stays", async () => {
  const { cluster, seen, claims, names } = await split((both) => both.find(({ node }) => node === "a"));
  await using _cluster = cluster;
  assertEquals(seen.length, 1);
  assertEquals(names.map((one) => one.whereis("x")?.node), ["a", "a", "a", "a"]);
  assertEquals(claims.map(({ signal }) => signal.aborted), [false, true]);
});

const SEEDS = IS_FULL_SIZE ? 400 : 40;
const NODES = ["a", "b", "c", "d"];
const NAMES = ["x", "y", "z"];

/** Claims, releases, cuts, freezes and deaths at random; and what the program of each node believes that it has. */
class Registry {
  readonly #cluster: SimulatedCluster;
  readonly #random: ReturnType<typeof seededRandom>;
  /** Claims that have not ended, by node and name. */
  readonly held = new Map<string, NameClaim>();
  readonly names = new Map<string, Names>();
  refused = 0;
  lost = 0;

  constructor(cluster: SimulatedCluster, seed: number) {
    this.#cluster = cluster;
    this.#random = seededRandom(seed);
    for (const node of NODES) this.names.set(node, new Names(cluster.node(node)));
  }

  owners(name: string): string[] {
    return NODES.filter((node) => this.held.get(`${node} ${name}`)?.signal.aborted === false);
  }

  #claim(node: string, name: string): void {
    this.names.get(node)?.claim(name).then((claim) => {
      if (!this.#cluster.has(node)) return;
      this.held.set(`${node} ${name}`, claim);
      claim.signal.addEventListener("abort", () => this.lost++);
    }, (error) => {
      if (error instanceof NameTakenError) this.refused++;
    });
  }

  async step(): Promise<void> {
    const [cluster, random] = [this.#cluster, this.#random];
    const node = random.pick(NODES);
    const name = random.pick(NAMES);
    switch (random.int(8)) {
      case 0:
      case 1:
      case 2:
        for (const claimant of NODES) if (random.chance(0.6)) this.#claim(claimant, name);
        break;
      case 3:
        this.held.get(`${node} ${name}`)?.[Symbol.dispose]();
        break;
      case 4: {
        const side = NODES.filter(() => random.chance(0.5));
        cluster.cut(side, NODES.filter((other) => !side.includes(other)));
        await cluster.advance(random.int(20_000));
        for (const claimant of NODES) this.#claim(claimant, name);
        await cluster.advance(random.int(20_000));
        cluster.heal();
        break;
      }
      case 5:
        cluster.pause(node);
        await cluster.advance(random.int(20_000));
        cluster.resume(node);
        break;
      case 6:
        await disturbLinks(cluster, random, node, NODES);
        break;
      default:
        cluster.crash(node);
        for (const other of NAMES) this.held.delete(`${node} ${other}`);
        await cluster.advance(random.int(10_000));
        this.names.set(node, new Names(await cluster.startNode(node)));
    }
    await cluster.advance(random.int(3_000));
  }
}

Deno.test(`No name has two owners once nodes can reach each other, with ${SEEDS} seeds of cuts, freezes and deaths`, async () => {
  let [refused, lost, owned] = [0, 0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    await using cluster = await SimulatedCluster.start({ nodes: NODES, seed: `names ${seed}` });
    const registry = new Registry(cluster, seed);
    for (let step = 0; step < 12; step++) await registry.step();
    await cluster.settled();
    await cluster.advance(10_000);
    for (const name of NAMES) {
      const owners = registry.owners(name);
      assert(owners.length <= 1, `seed ${seed}: "${name}" is owned by ${owners}`);
      const seen = NODES.map((node) => registry.names.get(node)?.whereis(name)?.node);
      assertEquals(seen, NODES.map(() => owners[0]), `seed ${seed}: who has "${name}"`);
      owned += owners.length;
    }
    refused += registry.refused;
    lost += registry.lost;
  }
  assert(refused > SEEDS && lost > SEEDS / 4 && owned > SEEDS, `${refused} refused, ${lost} lost, ${owned} owned`);
});
