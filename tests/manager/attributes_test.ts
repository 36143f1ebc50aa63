// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { EncodeError, hyparview, type PeerServiceManager, StoppedError } from "../../mod.ts";
import { scenario, type World } from "./worlds.ts";

async function pair(world: World): Promise<[PeerServiceManager, PeerServiceManager]> {
  const [a, b] = await world.cluster(["a", "b"]);
  assert(a !== undefined && b !== undefined);
  return [a, b];
}

scenario("What a node says of itself is read by all, and a change of it is told", async (world) => {
  const [a, b] = await pair(world);
  const told: unknown[] = [];
  const events: unknown[] = [];
  using _role = b.onAttribute("role", (node, value) => told.push([node, value]));
  b.addEventListener("attribute", ({ detail }) => events.push(detail));
  a.setAttribute("role", { kind: "db", shards: [1, 2] });
  a.setAttribute("other", 1);
  await world.until("b reads it", () => b.attributes("a").size === 2);
  assertEquals(b.attribute("a", "role"), { kind: "db", shards: [1, 2] });
  a.setAttribute("role", undefined);
  await world.until("b reads no role", () => b.attribute("a", "role") === undefined);
  assertEquals(b.attributes(a.spec), new Map([["other", 1]]));
  assertEquals(a.attributes(), new Map([["other", 1]]));
  assertEquals(told, [["a", { kind: "db", shards: [1, 2] }], ["a", undefined]]);
  assertEquals(events, [
    { node: "a", key: "role", value: { kind: "db", shards: [1, 2] } },
    { node: "a", key: "other", value: 1 },
    { node: "a", key: "role", value: undefined },
  ]);
});

scenario("A node that joins later reads what all others said before, and they read what it said", async (world) => {
  const [a, b] = await pair(world);
  a.setAttribute("x", 1);
  const c = await world.start("c", { appVersion: "2.0.0" });
  c.setAttribute("x", 3);
  await c.syncJoin(b.spec);
  await world.until(
    "all read all",
    () => c.attribute("a", "x") === 1 && a.attribute("c", "x") === 3 && b.attribute("c", "x") === 3,
  );
  assertEquals(a.attribute("c", "appVersion"), "2.0.0");
});

scenario(
  "The attributes of a node that went down are hidden until it is back, as another incarnation",
  async (world) => {
    const [a, b] = await pair(world);
    a.setAttribute("x", "old");
    await world.until("b reads it", () => b.attribute("a", "x") === "old");
    const told: unknown[] = [];
    using _x = b.onAttribute("x", (_, value) => told.push(value));
    await a.stop();
    await world.until("b reads nothing", () => b.attribute("a", "x") === undefined);
    const again = await world.start("a");
    again.setAttribute("x", "new");
    await again.syncJoin(b.spec);
    await world.until("b reads the new one", () => b.attribute("a", "x") === "new");
    assertEquals(told, [undefined, "new"]);
  },
);

scenario(
  "leave() takes a node's attributes from the others; it keeps its own, and brings them when it joins again",
  async (world) => {
    const [a, b] = await pair(world);
    a.setAttribute("x", 1);
    b.setAttribute("y", 2);
    await world.until("both read", () => b.attribute("a", "x") === 1 && a.attribute("b", "y") === 2);
    await a.leave();
    await world.until("b reads nothing", () => b.attributes("a").size === 0);
    assertEquals(a.attributes("b").size, 0);
    assertEquals(a.attribute("a", "x"), 1);
    await a.syncJoin(b.spec);
    await world.until("both read again", () => b.attribute("a", "x") === 1 && a.attribute("b", "y") === 2);
  },
);

scenario("Attributes reach every node over partial views", async (world) => {
  const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
  const nodes: PeerServiceManager[] = [];
  for (const name of names) {
    const node = await world.start(name, { strategy: hyparview({ activeSize: 3 }) });
    if (nodes[0] !== undefined) await node.syncJoin(nodes[0].spec);
    nodes.push(node);
  }
  for (const node of nodes) node.setAttribute("at", node.name);
  await world.until(
    "everyone reads everyone",
    () => nodes.every((node) => names.every((name) => node.attribute(name, "at") === name)),
  );
}, ["memory"]);

scenario("A change is repaired after a cut", async (world) => {
  const [a, b] = await pair(world);
  world.simulated.network.cut(["a"], ["b"]);
  a.setAttribute("x", 1);
  await world.until("b sees a no more", () => !b.isConnected("a"));
  world.simulated.network.heal();
  await world.until("b reads it", () => b.attribute("a", "x") === 1);
}, ["memory"]);

scenario("setAttribute() refuses what cannot be one, and changes nothing then", async (world) => {
  const node = await world.start("a");
  assertThrows(() => node.setAttribute("", 1), RangeError, "Invalid key");
  assertThrows(() => node.setAttribute("k", () => 1), EncodeError);
  node.setAttribute("k", "kept");
  assertThrows(() => node.setAttribute("k", new Uint8Array(65_536)), RangeError, 'Cannot set attribute "k"');
  assertEquals(node.attributes(), new Map([["k", "kept"]]));
  await node.stop();
  assertThrows(() => node.setAttribute("k", 1), StoppedError);
  await assertRejects(() => node.syncJoin(node.spec), StoppedError);
});

scenario(
  "A listener for an attribute that throws harms no other one, and one that was disposed of is told nothing",
  async (world) => {
    const node = await world.start("a");
    const told: unknown[] = [];
    using _bad = node.onAttribute("x", () => {
      throw new Error("no");
    });
    using _good = node.onAttribute("x", (_, value) => told.push(value));
    node.onAttribute("x", () => told.push("disposed"))[Symbol.dispose]();
    node.setAttribute("x", 1);
    assertEquals(told, [1]);
    assertEquals(world.errors.splice(0).map(({ during }) => during), ["calling a listener for an attribute"]);
  },
);

scenario(
  "As much as a node may say of itself reaches all, and who joins later, whatever a frame may hold",
  async (world) => {
    const options = { maxAttributeBytes: 4_194_304, maxFrameBytes: 65_536 };
    const [a, b] = await world.cluster(["a", "b"], options);
    const value = "x".repeat(60_000);
    for (let at = 0; at < 60; at++) a.setAttribute(`key ${at}`, value);
    a.setAttribute("key 7", undefined);
    a.setAttribute("large", "y".repeat(500_000));
    assertThrows(() => a.setAttribute("larger", "y".repeat(1_000_000)), RangeError, "at most 983040");
    const late = await world.start("c", options);
    await late.syncJoin(b.spec);
    await world.until("all have read it", () => [b, late].every((node) => node.attributes("a").size === 60));
    for (const node of [b, late]) assertEquals(node.attributes("a"), a.attributes());
    assertEquals(world.errors, []);
  },
);
