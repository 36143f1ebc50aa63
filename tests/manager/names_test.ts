// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { HandshakeRefusedError } from "../../mod.ts";
import { scenario } from "./worlds.ts";
import { firstOf, nthOf, present } from "../values.ts";

scenario(
  "The second living node of a name is refused with a clear error, and the first is not disturbed",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const told: string[] = [];
    a.onDown("b", () => told.push("down"));
    // On a host of its own, as where two machines were given one name.
    const second = await world.start("b", {
      listen: world.kind === "TCP" ? "127.0.0.1:0" : { hostname: "b", port: 9_091 },
    });
    const error = await assertRejects(() => second.syncJoin(a.spec), HandshakeRefusedError);
    assertEquals(error.refusal.code, "name-in-use");
    assertEquals(error.message, `Cannot accept "b": another living node has the name; choose a different one`);
    assertEquals(told, []);
    assert(a.isConnected("b") && b.isConnected("a"));
    await second.stop();
  },
);

scenario("A node that restarts under its name, at another address, is up everywhere with one entry", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const told: string[] = [];
  for (const node of [a, b]) {
    node.onUp("c", () => told.push(`${node.name} up`));
    node.onDown("c", () => told.push(`${node.name} down`));
  }
  const before = c.spec;
  await c.stop();
  await world.until("both noticed", () => told.length === 2);
  const listen = world.kind === "TCP" ? "127.0.0.1:0" : { hostname: "c", port: 9_099 };
  const again = await world.start("c", { listen });
  await again.syncJoin(a.spec);
  await world.settled([a, b, again]);
  assertEquals(told.toSorted(), ["a down", "a up", "b down", "b up"]);
  for (const node of [a, b]) {
    const specs = node.membersForOrchestration().filter(({ name }) => name === "c");
    assertEquals(specs, [again.spec]);
    assertGreater(firstOf(specs).incarnation, before.incarnation);
    assertEquals(firstOf(firstOf(specs).addresses).port, firstOf(again.spec.addresses).port);
  }
});

scenario("A node that restarts with other channels gets the right connections", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { bulk: { parallelism: 2 } } });
  const { addresses: [listen] } = b.spec;
  await b.stop();
  const again = await world.start("b", { listen, channels: { bulk: { parallelism: 4 }, extra: {} } });
  await again.syncJoin(a.spec);
  await world.opened([a, again]);
  assertEquals(present(a.stats().peers.b).connections, 1 + 1 + 2 + 1);
  assertEquals(nthOf(a.membersForOrchestration(), 1).channels, again.spec.channels);
});

scenario("A node whose clock went backwards before it restarted is taken back all the same", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const { addresses: [listen], incarnation } = c.spec;
  await c.stop();
  const runtime = world.runtime("c");
  const clock = { ...runtime.clock, wallTime: () => runtime.clock.wallTime() - 86_400_000 };
  const again = await world.start("c", { listen, runtime: { ...runtime, clock } });
  await again.syncJoin(a.spec);
  await world.settled([a, b, again]);
  assertGreater(again.spec.incarnation, incarnation);
  const known = () => [a, b].map((node) => nthOf(node.membersForOrchestration(), 2).incarnation);
  await world.until("both know it as it is now", () => known().every((each) => each === again.spec.incarnation));
  for (const node of [a, b]) assertEquals(node.membersForOrchestration()[2], again.spec);
});

scenario("A node that restarts and waits is found by the others, without joining", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const { addresses: [listen] } = c.spec;
  await c.stop();
  await world.until("both noticed", () => !a.isConnected("c") && !b.isConnected("c"));
  const again = await world.start("c", { listen });
  await world.settled([a, b, again]);
});

scenario("Names of any characters work", async (world) => {
  const names = ["ünïcödé ☃", "with space", "a@127.0.0.1:9090", "x".repeat(255), "__proto__", "constructor"];
  const nodes = [];
  for (const [index, name] of names.entries()) {
    const listen = world.kind === "TCP" ? "127.0.0.1:0" : { hostname: `host${index}`, port: 9_090 };
    nodes.push(await world.start(name, { listen, runtime: world.runtime(`host${index}`) }));
  }
  for (const node of nodes.slice(1)) await node.syncJoin(firstOf(nodes).spec);
  await world.settled(nodes);
  const heard = world.inbox(nthOf(nodes, 4), "__proto__");
  for (const node of nodes) await node.forwardMessage("__proto__", "__proto__", node.name);
  await world.until("all arrived", () => heard.messages.length === nodes.length);
  assertEquals(Object.keys(firstOf(nodes).stats().peers).length, nodes.length - 1);
});

scenario(
  "A node that restarts elsewhere is connected at once: it and the seed that it dialed before do not wait for each other",
  async (world) => {
    const [a, b, c] = await world.cluster(["a", "b", "c"]);
    await c.stop();
    await world.until("both noticed", () => !a.isConnected("c") && !b.isConnected("c"));
    const startedAt = world.clock.now();
    const again = await world.start("c", { listen: { hostname: "c", port: 9_091 } });
    await again.join(b.spec);
    await world.settled([a, b, again]);
    // The courtesy time of the local preset is 1,000 ms.
    assert(world.clock.now() - startedAt < 500, `${world.clock.now() - startedAt} ms`);
  },
  ["memory"],
);
