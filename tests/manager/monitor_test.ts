// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Monitor, NodeStatus, PeerServiceManager } from "../../mod.ts";
import { scenario, type World } from "./worlds.ts";
import type { OneForEach } from "../tuples.ts";
import { firstOf, nthOf, present } from "../values.ts";

/** Waits until the monitored node knows that it is watched: until a call made later has come back. */
async function watched(watcher: PeerServiceManager, ref: { node: string; name: string }): Promise<Monitor> {
  const monitor = watcher.monitor(ref);
  await watcher.call(ref.node, "ping", null);
  return monitor;
}

async function pair(world: World): Promise<OneForEach<["a", "b", "c"], PeerServiceManager>> {
  const nodes = await world.cluster(["a", "b", "c"]);
  for (const node of nodes) {
    node.register("ping", () => {});
    node.register("x", () => {});
  }
  return nodes;
}

scenario("A monitor tells at once when there is no such handler", async (world) => {
  const [a] = await pair(world);
  for (const node of ["a", "b"]) {
    assertEquals(await a.monitor({ node, name: "nobody" }).down, { node, name: "nobody", reason: "not_registered" });
  }
  assertEquals(await a.monitor({ node: "stranger", name: "x" }).down, {
    node: "stranger",
    name: "x",
    reason: "left",
  });
});

scenario("A monitor tells once when the handler is unregistered, as a promise and as an event", async (world) => {
  const [a, b] = await pair(world);
  const told: unknown[] = [];
  a.addEventListener("monitor", ({ detail }) => told.push(detail));
  for (const [node, manager] of [["a", a], ["b", b]] as const) {
    const monitor = await watched(a, { node, name: "x" });
    manager.unregister("x");
    assertEquals(await monitor.down, { node, name: "x", reason: "unregistered" });
    manager.register("x", () => {});
    manager.unregister("x");
  }
  assertEquals(told.length, 2);
});

scenario("A monitor tells when the node goes down, or leaves", async (world) => {
  const [a, b, c] = await pair(world);
  const down = await watched(a, { node: "b", name: "x" });
  const left = await watched(a, { node: "c", name: "x" });
  await c.leave();
  assertEquals((await left.down).reason, "left");
  await b.stop();
  assertEquals((await down.down).reason, "down");
  assertEquals(await a.monitor({ node: "c", name: "x" }).down, { node: "c", name: "x", reason: "left" });
});

scenario("A monitor of a member that is down already tells so", async (world) => {
  const [a, b] = await pair(world);
  await b.stop();
  await world.until("a noticed", () => !a.isConnected("b"));
  assertEquals((await a.monitor({ node: "b", name: "x" }).down).reason, "down");
});

scenario("demonitor() and disposing end a monitor, and nothing is told later", async (world) => {
  const [a, b] = await pair(world);
  const told: unknown[] = [];
  a.addEventListener("monitor", ({ detail }) => told.push(detail));
  const one = await watched(a, { node: "b", name: "x" });
  a.demonitor(one);
  a.demonitor(one);
  assertEquals((await one.down).reason, "demonitored");
  {
    using _two = await watched(a, { node: "b", name: "x" });
  }
  await a.call("b", "ping", null);
  b.unregister("x");
  await a.call("b", "ping", null);
  assertEquals(told.length, 2);
});

scenario(
  "With { channel } a monitor tells behind the messages of that channel, over all its connections",
  async (world) => {
    const channels = { results: { parallelism: 3 } };
    const [a, b] = await world.cluster(["a", "b"], { channels });
    let results = 0;
    a.register("results", () => results++);
    b.register("ping", () => {});
    const padding = "x".repeat(20_000);
    for (let round = 1; round <= 5; round++) {
      b.register("x", () => {});
      const monitor = a.monitor({ node: "b", name: "x" }, { channel: "results" });
      await a.call("b", "ping", null);
      // One connection has much more to carry than the others.
      for (let n = 0; n < 40; n++) {
        b.castMessage("a", "results", n % 3 === 0 ? padding : n, { channel: "results", partitionKey: n });
      }
      b.unregister("x");
      const { reason } = await monitor.down;
      assertEquals([reason, results], ["unregistered", 40 * round]);
    }
  },
);

scenario("With { channel } a monitor tells that a node left or stopped behind what it had sent", async (world) => {
  const channels = { results: { parallelism: 2 } };
  const [a, b, c] = await world.cluster(["a", "b", "c"], { channels });
  for (const [leaver, end] of [[b, () => b.leave()], [c, () => c.stop()]] as const) {
    let results = 0;
    a.unregister("results");
    a.register("results", () => results++);
    leaver.register("x", () => {});
    leaver.register("ping", () => {});
    const monitor = a.monitor({ node: leaver.name, name: "x" }, { channel: "results" });
    await a.call(leaver.name, "ping", null);
    for (let n = 0; n < 100; n++) leaver.castMessage("a", "results", "y".repeat(5_000), { channel: "results" });
    const ended = end();
    await monitor.down;
    assertEquals([leaver.name, results], [leaver.name, 100]);
    await ended;
  }
});

scenario("A monitor refuses a channel that no node has", async (world) => {
  const [a] = await pair(world);
  assertThrows(() => a.monitor({ node: "b", name: "x" }, { channel: "nope" }), RangeError, '"nope" is unknown');
});

scenario("Many monitors of one handler all tell", async (world) => {
  const [a, b, c] = await pair(world);
  const monitors = [];
  for (let n = 0; n < 20; n++) monitors.push(await watched(present([a, c][n % 2]), { node: "b", name: "x" }));
  b.unregister("x");
  const reasons = await Promise.all(monitors.map(({ down }) => down.then(({ reason }) => reason)));
  assertEquals(reasons, Array(20).fill("unregistered"));
});

scenario("monitorNodes() tells of each node that comes or goes, until the loop is left", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const told: NodeStatus[] = [];
  const loop = (async () => {
    for await (const status of a.monitorNodes()) {
      told.push(status);
      if (told.length === 3) break;
    }
  })();
  const c = await world.start("c");
  await c.syncJoin(a.spec);
  await world.until("c is up", () => told.length === 1);
  await c.stop();
  await world.until("c is down", () => told.length === 2);
  await b.stop();
  await loop;
  const shown = told.map(({ node, status }) => `${node} ${status}`);
  assertEquals(shown, ["c up", "c down", "b down"]);
  assertEquals(firstOf(told).reason, "it is connected");
  assertStringIncludes(nthOf(told, 1).reason, "its last connection");
});

scenario("monitorNodes() ends with its signal, and when the node stops", async (world) => {
  const a = await world.start("a");
  const controller = new AbortController();
  const [one, two] = [a.monitorNodes({ signal: controller.signal }), a.monitorNodes()];
  const ended = one.next();
  controller.abort();
  assertEquals(await ended, { value: undefined, done: true });
  const waiting = two.next();
  await a.stop();
  assertEquals(await waiting, { value: undefined, done: true });
});
