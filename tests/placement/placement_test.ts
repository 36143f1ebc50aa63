// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { Groups } from "../../groups/mod.ts";
import { CallError, hyparview, type PeerServiceManager, StoppedError } from "../../mod.ts";
import { Placement } from "../../placement/mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { scenario, type World } from "../manager/worlds.ts";
import { firstOf, nthOf } from "../values.ts";

const KEYS = Array.from({ length: 1_000 }, (_, index) => `key-${index}`);

async function four(world: World): Promise<PeerServiceManager[]> {
  return await world.cluster(["a", "b", "c", "d"]);
}

scenario("All nodes agree on owners, and only keys of a node that goes move", async (world) => {
  const nodes = await four(world);
  const placements = nodes.map((node) => new Placement(node));
  const [first] = placements;
  assert(first !== undefined);
  const before = KEYS.map((key) => first.owner(key));
  for (const placement of placements) assertEquals(KEYS.map((key) => placement.owner(key)), before);
  assertEquals(new Set(before).size, 4);
  assertEquals(first.owners("x", 9).length, 4);
  const changes: unknown[] = [];
  using _change = first.onOwnershipChange((change) => changes.push(change));
  await nodes[3]?.stop();
  await world.until("a has noticed", () => changes.length === 1);
  assertEquals(changes, [{ joined: [], left: ["d"] }]);
  for (const [index, key] of KEYS.entries()) {
    if (before[index] !== "d") assertEquals(first.owner(key), before[index]);
  }
});

scenario("A node that drains owns nothing, and weights and groups decide who owns how much", async (world) => {
  const nodes = await four(world);
  const [a, b] = nodes;
  assert(a !== undefined && b !== undefined);
  const placement = new Placement(a);
  new Placement(b, { weight: 3 });
  const share = (name: string) => KEYS.filter((key) => placement.owner(key) === name).length;
  await world.until("the weight is known", () => share("b") > 400);
  b.setAttribute("draining", true);
  await world.until("b owns nothing", () => share("b") === 0);
  const grouped = new Placement(a, { group: "workers" });
  assertThrows(() => grouped.owner("x"), RangeError, "no node takes work");
  const groups = new Groups(nthOf(nodes, 2));
  groups.join("workers");
  await world.until("the group has a member", () => grouped.owners("x", 1).length === 1);
  assertEquals(grouped.owner("x"), "c");
});

scenario("callOwner() reaches the owner's handler, and follows a key that moved", async (world) => {
  const nodes = await four(world);
  const placements = nodes.map((node) => new Placement(node));
  for (const node of nodes) node.register("whoami", (message) => `${node.name} ${message}`);
  const [first] = placements;
  assert(first !== undefined);
  for (const key of KEYS.slice(0, 20)) {
    assertEquals(await first.callOwner(key, "whoami", key), `${first.owner(key)} ${key}`);
  }
  const key = KEYS.find((key) => first.owner(key) === "d") ?? "";
  await nodes[3]?.stop();
  const [, heir] = placements[1]?.owners(key, 2) ?? [];
  const reply = await first.callOwner(key, "whoami", 1);
  assert(reply !== "d 1" && typeof reply === "string", `${reply}, ${heir}`);
  await assertRejects(() => first.callOwner("x", "missing", 1), CallError);
});

scenario(
  "callOwner() rejects with what the handler threw, and returns what it returns, null for nothing",
  async (world) => {
    const nodes = await world.cluster(["a", "b"]);
    const [placement] = nodes.map((node) => new Placement(node));
    assert(placement !== undefined);
    const key = KEYS.find((key) => placement.owner(key) === "b") ?? "";
    const missing = await assertRejects(() => placement.callOwner(key, "fail", 1), CallError);
    assertEquals(missing.remote, { name: "NoHandlerError", message: 'No handler is registered as "fail"' });
    for (const failure of [{}, { code: 7 }]) {
      nodes[1]?.register("fail", () => {
        throw Object.assign(new RangeError("too much"), failure);
      });
      const error = await assertRejects(() => placement.callOwner(key, "fail", 1), CallError);
      assertEquals(error.remote, { name: "RangeError", message: "too much", ...failure });
      nodes[1]?.unregister("fail");
    }
    for (const result of [undefined, null, 0, [1]]) {
      nodes[1]?.register("give", () => result);
      assertEquals(await placement.callOwner(key, "give", 1), result ?? null);
      nodes[1]?.unregister("give");
    }
    world.errors.splice(0);
  },
);

scenario("callOwner() follows a key that its owner gives up while the request is on its way", async (world) => {
  const nodes = await four(world);
  const served: string[] = [];
  const [placement] = nodes.map((node) => new Placement(node));
  for (const node of nodes) node.register("serve", () => served.push(node.name));
  const key = KEYS.find((key) => placement?.owner(key) === "b") ?? "";
  await placement?.callOwner(key, "serve", 1);
  nodes[1]?.setAttribute("draining", true);
  assertEquals(placement?.owner(key), "b", "a does not know yet");
  await placement?.callOwner(key, "serve", 1);
  assertEquals(served, ["b", placement?.owner(key)]);
}, ["memory"]);

scenario("A node that does not own a key refuses to serve it", async (world) => {
  const nodes = await four(world);
  const placements = nodes.map((node) => new Placement(node));
  let served = 0;
  for (const node of nodes) node.register("serve", () => ++served);
  const key = KEYS.find((key) => placements[0]?.owner(key) === "b") ?? "";
  const answer = await firstOf(nodes).call("c", "placement/", [key, "serve", 1]);
  assertEquals(Array.isArray(answer) && answer[1], "NotOwnerError");
  assertEquals(served, 0);
});

scenario("A key that comes to a new node is served by it only once the former owner must know", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { preset: "lan" });
  assert(a !== undefined && b !== undefined);
  const [atA] = [new Placement(a), new Placement(b)];
  const c = await world.start("c", { preset: "lan" });
  const atC = new Placement(c);
  for (const node of [a, b, c]) node.register("who", () => node.name);
  await c.syncJoin(a.spec);
  const key = KEYS.find((key) => atC.owner(key) === "c") ?? "";
  await world.until("a sees it so", () => atA.owner(key) === "c");
  const before = world.clock.now();
  assertEquals(await atA.callOwner(key, "who", 1), "c");
  assert(world.clock.now() - before > 500, "it was served at once");
}, ["memory"]);

scenario("Several placements over one node share what they know, and each ends what it began", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  assert(a !== undefined && b !== undefined);
  for (const node of [a, b]) node.register("who", () => node.name);
  using other = new Placement(a);
  using atB = new Placement(b);
  const placement = new Placement(a);
  const changes: unknown[] = [];
  placement.onOwnershipChange((change) => changes.push(change));
  const began = Promise.withResolvers<AbortSignal>();
  placement.runOnOne("task", (signal) => {
    began.resolve(signal);
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  }, { stableAfter: 0 });
  const signal = await began.promise;
  assertFalse(signal.aborted);
  for (const _ of "12") placement[Symbol.dispose]();
  assert(signal.aborted);
  b.setAttribute("draining", true);
  await world.until("b owns nothing", () => KEYS.every((key) => other.owner(key) === "a"));
  assertEquals(changes, []);
  assertEquals(await atB.callOwner("x", "who", 1), "a", "the other one still serves");
});

scenario("The signal and the time limit of callOwner() reach the handler", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  assert(a !== undefined && b !== undefined);
  const [atA] = [new Placement(a), new Placement(b)] as const;
  const reasons: unknown[] = [];
  b.register("slow", (_, { signal }) =>
    new Promise((resolve) =>
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason);
        resolve(1);
      })
    ));
  const key = KEYS.find((key) => atA.owner(key) === "b") ?? "";
  b.register("who", () => "b");
  assertEquals(await atA.callOwner(key, "who", 1), "b", "it is not held any more");
  const error = await assertRejects(() => atA.callOwner(key, "slow", 1, { timeout: 100 }), DOMException);
  assertEquals([error.name, error.message], [
    "TimeoutError",
    `Cannot call "slow" on the owner of "${key}": no success within 100 ms`,
  ]);
  await world.until("the handler is told", () => reasons.length === 1);
  await a.stop();
  const stopped = await assertRejects(() => atA.callOwner(key, "slow", 1), StoppedError);
  assertEquals(stopped.name, "StoppedError");
});

Deno.test("All nodes agree on owners in a group also where not everyone is connected with everyone", async () => {
  const names = Array.from({ length: 16 }, (_, index) => `n${index}`);
  await using cluster = await new SimulatedCluster({ options: { strategy: hyparview() } });
  for (const name of names) new Groups(await cluster.startNode(name)).join("owners");
  await cluster.advance(60_000);
  const placements = cluster.nodes.map((node) => new Placement(node, { group: "owners" }));
  assert(cluster.node("n0").connected().length < 15);
  for (const key of KEYS.slice(0, 100)) assertEquals(new Set(placements.map((each) => each.owner(key))).size, 1);
});
