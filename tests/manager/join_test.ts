// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { HandshakeRefusedError, type PeerServiceManager, startPeerService, StoppedError } from "../../mod.ts";
import { firstOf, nthOf, present } from "../values.ts";
import { scenario } from "./worlds.ts";

scenario("syncJoin() resolves when both know each other and every connection is open", async (world) => {
  const options = { channels: { bulk: { parallelism: 3 }, state: {} } };
  const [a, b] = [await world.start("a", options), await world.start("b", options)];
  await b.syncJoin(a.spec);
  assertEquals(a.members(), ["a", "b"]);
  assertEquals(b.members(), ["a", "b"]);
  assert(a.isConnected("b") && b.isConnected("a"));
  assert(b.isFullyConnected("a"));
  // Those of channels are opened when these are first used.
  assertEquals(b.stats().peers.a?.connections, 1);
  await world.until("a has them all too", () => a.isFullyConnected("b"));
  assertEquals(a.connected(), ["b"]);
  await world.opened([a, b]);
  assertEquals([a.stats().peers.b?.connections, b.stats().peers.a?.connections], [6, 6]);
});

scenario("join() takes an address as text, an address as an object, or a specification", async (world) => {
  const [a, b, c, d] = [await world.start("a"), await world.start("b"), await world.start("c"), await world.start("d")];
  const { hostname, port } = firstOf(a.spec.addresses);
  await b.join(`${hostname}:${port}`);
  await c.join({ hostname, port });
  await d.join(a.spec);
  await world.settled([a, b, c, d]);
});

scenario("join() tells every node of every newcomer by one event", async (world) => {
  const nodes = [await world.start("a"), await world.start("b"), await world.start("c")];
  const told = nodes.map((node) => {
    const names: string[] = [];
    node.addEventListener("join", ({ detail }) => names.push(detail.node));
    return names;
  });
  await nthOf(nodes, 1).join(firstOf(nodes).spec);
  await nthOf(nodes, 2).join(nthOf(nodes, 1).spec);
  await world.settled(nodes);
  assertEquals(told.map((names) => names.sort()), [["b", "c"], ["a", "c"], ["a", "b"]]);
});

scenario("Joining oneself does nothing", async (world) => {
  const a = await world.start("a");
  await a.syncJoin(a.spec);
  await a.syncJoin(firstOf(a.spec.addresses));
  await a.join(a.spec);
  assertEquals(a.members(), ["a"]);
  assertEquals(a.connected(), []);
  assert(a.isConnected("a") && a.isFullyConnected("a"));
});

scenario("Joining twice does nothing more", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  await b.syncJoin(a.spec);
  await a.syncJoin(b.spec);
  assertEquals(present(a.stats().peers.b).connections, 1);
  assertEquals(b.members(), ["a", "b"]);
});

scenario("Nodes that join each other crosswise at the same time agree", async (world) => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const nodes: PeerServiceManager[] = [];
  for (const name of names) nodes.push(await world.start(name));
  const joins = nodes.flatMap((node) => nodes.map((other) => node.syncJoin(other.spec)));
  await Promise.all(joins);
  await world.opened(nodes);
  for (const node of nodes) {
    for (const { connections } of Object.values(node.stats().peers)) assertEquals(connections, 2);
  }
});

scenario("Two clusters become one when any two of their nodes join", async (world) => {
  const left = await world.cluster(["a", "b", "c"]);
  const right = await world.cluster(["x", "y", "z"]);
  await left[2].join(right[1].spec);
  await world.settled([...left, ...right]);
});

scenario("join() goes on until a node answers", async (world) => {
  const a = await world.start("a");
  const { spec } = a;
  await a.stop();
  const b = await world.start("b");
  await b.join(spec);
  await world.until("b has failed once", () => b.stats().connections.dialFailures > 0);
  const again = await world.start("a", { listen: spec.addresses[0] });
  await world.settled([again, b]);
});

scenario("syncJoin() rejects with the reason of its signal", async (world) => {
  const a = await world.start("a");
  const { spec } = a;
  await a.stop();
  const b = await world.start("b");
  const controller = new AbortController();
  const joining = b.syncJoin(spec, { signal: controller.signal });
  controller.abort(new RangeError("enough"));
  await assertRejects(() => joining, RangeError, "enough");
  await assertRejects(() => b.syncJoin(spec, { signal: AbortSignal.abort(new RangeError("no")) }), RangeError, "no");
});

scenario("syncJoin() rejects with a TimeoutError after joinTimeout", async (world) => {
  const a = await world.start("a");
  const { spec } = a;
  await a.stop();
  const b = await world.start("b", { joinTimeout: 60 });
  const error = await assertRejects(
    () => b.syncJoin(spec),
    DOMException,
    `Cannot join "a" in time: Cannot connect to "`,
  );
  assertEquals(error.name, "TimeoutError");
  assertEquals(b.members(), ["b"]);
});

scenario("Nodes of different clusters refuse each other for good", async (world) => {
  const a = await world.start("a", { cluster: "blue" });
  const b = await world.start("b", { cluster: "green" });
  const error = await assertRejects(() => b.syncJoin(a.spec), HandshakeRefusedError);
  assertEquals(error.refusal.code, "cluster");
  assertStringIncludes(error.message, `cluster is "green", expected "blue"`);
  assertEquals(a.stats().connections.refused, { cluster: 1 });
  assertEquals([a.members(), b.members()], [["a"], ["b"]]);
});

scenario("join() tells by an error event that it is refused for good", async (world) => {
  const a = await world.start("a", { cluster: "blue" });
  const b = await world.start("b", { cluster: "green" });
  await b.join(a.spec);
  await world.until("b has told", () => world.errors.length > 0);
  const [{ during, error, node }] = world.errors.splice(0) as [typeof world.errors[number]];
  assertEquals(during, `joining "a"`);
  assertEquals(node, "a");
  assert(error instanceof HandshakeRefusedError);
});

scenario("syncJoin() rejects when another node lives at the address", async (world) => {
  const [a, b] = [await world.start("a"), await world.start("b")];
  const error = await assertRejects(() => b.syncJoin({ ...a.spec, name: "c" }), HandshakeRefusedError);
  assertEquals(error.refusal.code, "wrong-node");
});

scenario("join() rejects what is no address", async (world) => {
  const a = await world.start("a");
  await assertRejects(() => a.join("nowhere"), SyntaxError, `Cannot read the address "nowhere"`);
  await assertRejects(() => a.syncJoin("host:99999"), RangeError, "a port from 0 to 65,535");
});

scenario(
  "join() and syncJoin() reject with StoppedError on a stopped node, and waiting ones do when it stops",
  async (world) => {
    const [a, b] = [await world.start("a"), await world.start("b")];
    const { spec } = a;
    await a.stop();
    const waiting = assertRejects(() => b.syncJoin(spec), StoppedError);
    await b.stop();
    await waiting;
    await assertRejects(() => b.join(spec), StoppedError, `Cannot join: "b" was stopped`);
    await assertRejects(() => b.syncJoin(spec), StoppedError, `Cannot join: "b" was stopped`);
  },
);

Deno.test("startPeerService() says which option cannot be used, and why", async () => {
  await assertRejects(() => startPeerService({ name: "" }), TypeError, `"name" is "", expected 1 to 255 characters`);
  await assertRejects(() => startPeerService({ listen: "here" }), SyntaxError, `Cannot read the address "here"`);
  await assertRejects(() => startPeerService({ listen: "0.0.0.0:0" }), TypeError, "which others cannot dial");
  await assertRejects(
    () => startPeerService({ channels: { a: { parallelism: 0 } } }),
    RangeError,
    "channels.a.parallelism",
  );
  await assertRejects(
    () => startPeerService({ channels: { membership: { parallelism: 2 } } }),
    RangeError,
    "must be 1",
  );
  await assertRejects(() => startPeerService({ channels: { a: { maxQueuedBytes: 1 } } }), RangeError, "maxQueuedBytes");
  await assertRejects(() => startPeerService({ heartbeat: { interval: 0 } }), RangeError, `"heartbeat.interval" is 0`);
  await assertRejects(() => startPeerService({ heartbeat: { missed: 1.5 } }), RangeError, "a whole number from 2");
  await assertRejects(() => startPeerService({ gossip: { fanout: 0 } }), RangeError, `"gossip.fanout" is 0`);
  await assertRejects(() => startPeerService({ maxFrameBytes: 5 }), RangeError, `"maxFrameBytes" is 5`);
  await assertRejects(() => startPeerService({ secret: "" }), TypeError, `"secret" must be a non-empty string`);
  await assertRejects(
    // @ts-expect-error -- no such preset
    () => startPeerService({ preset: "moon" }),
    RangeError,
    `preset is "moon", expected one of local, lan`,
  );
});
