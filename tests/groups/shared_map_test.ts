// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SharedMap } from "../../groups/mod.ts";
import { type ErrorDetail, StoppedError } from "../../mod.ts";
import { memoryStore, SimulatedCluster } from "../../testing/mod.ts";
import { scenario } from "../manager/worlds.ts";
import { seededRandom } from "../seeded_random.ts";
import { disturbLinks } from "./link_faults.ts";
import { IS_FULL_SIZE } from "../sim/full_size.ts";
import { nthOf } from "../values.ts";

scenario(
  "A map is the same on all nodes, a newcomer catches up and is told when it has, and changes are told",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    assert(a !== undefined && b !== undefined);
    const [atA, atB] = [new SharedMap<unknown>(a, "m"), new SharedMap<unknown>(b, "m")];
    await atA.ready;
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { type, key, value } of atA.watch()) seen.push(`${type} ${key} ${value}`);
    })();
    atA.set("x", 1).set("y", { deep: [1] });
    await world.until("b has both", () => atB.size === 2);
    (atB.get("y") as { deep: number[] }).deep.push(2);
    assertEquals(atB.get("y"), { deep: [1] });
    atB.set("x", 2);
    assertEquals([atB.delete("y"), atB.delete("y"), atB.has("y"), atB.get("y")], [true, false, false, undefined]);
    await world.until("a knows", () => atA.get("x") === 2 && !atA.has("y"));
    const c = await world.start("c");
    const atC = new SharedMap(c, "m");
    await atC.ready; // alone
    await c.syncJoin(b.spec);
    await atC.ready;
    assertEquals([...atC.entries()], [["x", 2]]);
    assertEquals(new SharedMap(c, "other").size, 0);
    await a.stop();
    await watching;
    assertEquals(seen, ["set x 1", "set y [object Object]", "set x 2", "delete y undefined"]);
    await assertRejects(() => atA.ready);
    assertThrows(() => atA.set("x", 3), StoppedError, 'Cannot set "x"');
    assertThrows(() => atA.delete("x"), StoppedError, 'Cannot delete "x"');
  },
);

scenario("A map takes no nonsense, and no more than it may", async (world) => {
  const node = await world.start("a");
  const map = new SharedMap<unknown>(node, "m", { maxEntries: 2, maxBytes: 2_000 });
  map.set("x", 1).set("y", 2).set("x", 3);
  assertThrows(() => map.set("z", 1), RangeError, "3 entries, at most 2");
  assertThrows(() => map.set("x", new Uint8Array(2_000)), RangeError, "bytes, at most 2000");
  assertThrows(() => map.set("x", undefined), TypeError, "delete the key");
  assertThrows(() => map.set("x".repeat(2_000), 1), TypeError, "key");
  for (let turn = 0; turn < 2_000; turn++) {
    map.set("x", turn);
    map.delete("y");
    map.set("y", turn);
  }
  assertEquals([...map.entries()], [["x", 1_999], ["y", 1_999]]);
  assertThrows(() => new SharedMap(node, ""), TypeError, "as a name");
  assertThrows(() => new SharedMap(node, "n", { maxBytes: 1 }), RangeError, "maxBytes");
});

Deno.test("After a partition the last writer wins, deletions included, or the merge function decides; what is written then counts", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const merge = (earlier: string, later: string) => `${earlier}+${later}`;
  const [a, b] = cluster.nodes.map((node) => new SharedMap<string>(node, "m"));
  const merged = cluster.nodes.map((node) => new SharedMap<string>(node, "merged", { merge }));
  assert(a !== undefined && b !== undefined);
  a.set("k", "old").set("gone", "old").set("kept", "old");
  await cluster.advance(1_000);
  cluster.cut(["a"]);
  await cluster.advance(20_000);
  a.set("k", "a").set("gone", "a").set("mine", "a").delete("kept");
  merged[0]?.set("k", "a");
  await cluster.advance(10);
  b.set("k", "b").set("kept", "b").delete("gone");
  merged[1]?.set("k", "b");
  cluster.heal();
  await cluster.settled();
  await cluster.advance(5_000);
  for (const map of [a, b]) assertEquals([...map.entries()], [["k", "b"], ["kept", "b"], ["mine", "a"]]);
  assertEquals(merged.map((map) => map.get("k")), ["a+b", "a+b"]);
  merged[0]?.set("k", "c");
  await cluster.advance(1_000);
  assertEquals(merged.map((map) => map.get("k")), ["c", "c"]);
});

Deno.test("A node whose clock is far ahead is warned of, and does not win against writes of nodes that knew its own", async () => {
  const warnings: string[] = [];
  await using cluster = await SimulatedCluster.start({ nodes: 0, seed: "skew" });
  cluster.setSkew("b", 3_600_000);
  for (const name of ["a", "b"]) await cluster.startNode(name);
  await cluster.settled();
  cluster.node("a").addEventListener("warning", ({ detail: { code, node } }) => warnings.push(`${code} ${node}`));
  const [a, b] = cluster.nodes.map((node) => new SharedMap<number>(node, "m"));
  b?.set("k", 1);
  b?.set("l", 1);
  await cluster.advance(5_000);
  a?.set("k", 2);
  await cluster.advance(1_000);
  assertEquals([a?.get("k"), b?.get("k")], [2, 2]);
  assertEquals(warnings, ["clock-ahead b"]);
});

Deno.test("A map outlives all its nodes in a store; a damaged store is set aside, and told", async () => {
  const disk = memoryStore();
  await using cluster = await SimulatedCluster.start({ nodes: ["a"] });
  const map = new SharedMap<number>(cluster.node("a"), "m", { store: disk });
  map.set("x", 1).set("y", 2).delete("x");
  await cluster.wait(map.flush());
  cluster.crash("a");
  const again = new SharedMap<number>(await cluster.startNode("a"), "m", { store: disk });
  await cluster.wait(again.ready);
  assertEquals([...again.entries()], [["y", 2]]);
  again.set("z", 3);
  await cluster.advance(3_000);
  cluster.crash("a");
  disk.bytes = disk.bytes?.subarray(0, 10) ?? null;
  const node = await cluster.startNode("a");
  const errors: ErrorDetail[] = [];
  node.addEventListener("error", ({ detail }) => errors.push(detail));
  const third = new SharedMap<number>(node, "m", { store: disk });
  await cluster.wait(third.ready);
  assertEquals([third.size, disk.aside.length], [0, 1]);
  assertEquals(errors.map(({ during }) => during), ['reading the map "m"']);
});

Deno.test("10,000 entries reach a newcomer to a cluster of 20 once, not once from every node", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: 20 });
  const [first] = cluster.nodes.map((node) => new SharedMap<number>(node, "m"));
  for (let key = 0; key < 10_000; key++) first?.set(`key-${key}`, key);
  await cluster.advance(10_000);
  const node = await cluster.startNode("late");
  const late = new SharedMap<number>(node, "m");
  await cluster.settled();
  await cluster.wait(late.ready);
  assertEquals(late.size, 10_000);
  const received = Object.values(node.stats().peers).reduce((sum, { bytesIn }) => sum + bytesIn, 0);
  assert(received < 3_000_000, `${received} bytes`);
});

const SEEDS = IS_FULL_SIZE ? 400 : 30;
const NODES = ["a", "b", "c", "d"];
const KEYS = ["k", "l", "m", "n"];

Deno.test(`A map comes to the same on all nodes, with ${SEEDS} seeds of freezes, cuts, deaths and restarts`, async () => {
  let [values, deleted] = [0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed);
    await using cluster = await SimulatedCluster.start({ nodes: NODES, seed: `map ${seed}` });
    const disks = new Map(NODES.map((name) => [name, memoryStore()]));
    const open = (name: string) => {
      const store = name < "c" ? disks.get(name) : undefined;
      return new SharedMap<string>(cluster.node(name), "m", { ...(store !== undefined && { store }) });
    };
    const maps = new Map(NODES.map((name) => [name, open(name)]));
    /** Number of values written so far: each value is new. */
    let written = 0;
    const write = () => {
      const map = maps.get(random.pick(NODES));
      const key = random.pick(KEYS);
      if (random.chance(0.3)) map?.delete(key);
      else map?.set(key, `${written++}`);
    };
    for (let step = 0; step < 14; step++) {
      const name = random.pick(NODES);
      for (let count = random.int(4); count >= 0; count--) write();
      switch (random.int(7)) {
        case 0: {
          const side = NODES.filter(() => random.chance(0.5));
          cluster.cut(side, NODES.filter((other) => !side.includes(other)));
          await cluster.advance(random.int(20_000));
          for (let count = 0; count < 6; count++) write();
          await cluster.advance(random.int(20_000));
          cluster.heal();
          break;
        }
        case 1:
          cluster.pause(name);
          await cluster.advance(random.int(20_000));
          cluster.resume(name);
          break;
        case 2:
          cluster.crash(name);
          await cluster.advance(random.int(10_000));
          await cluster.startNode(name);
          maps.set(name, open(name));
          write();
          break;
        case 3:
          await disturbLinks(cluster, random, name, NODES);
          break;
        default:
          await cluster.advance(random.int(2_000));
      }
    }
    await cluster.settled();
    await cluster.advance(15_000);
    const expected = [...maps.get("a")?.entries() ?? []];
    for (const [name, map] of maps) {
      await cluster.wait(map.ready);
      assertEquals([...map.entries()], expected, `seed ${seed}, as ${name} sees it`);
    }
    values += expected.length;
    deleted += KEYS.length - expected.length;
    // Every node can write over what all came to.
    for (const [at, key] of KEYS.entries()) maps.get(nthOf(NODES, at))?.set(key, "last");
    await cluster.advance(2_000);
    for (const [, map] of maps) assertEquals([...map.entries()], KEYS.map((key) => [key, "last"]), `seed ${seed}`);
  }
  assert(values > SEEDS && deleted > SEEDS / 2, `${values} values, ${deleted} deleted`);
});
