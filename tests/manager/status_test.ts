// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { scenario } from "./worlds.ts";
import { entryOf, present } from "../values.ts";

scenario(
  "onUp() fires at the first connection, onDown() when the last one is gone, and they alternate",
  async (world) => {
    const [a, b] = [await world.start("a"), await world.start("b")];
    const told: string[] = [];
    a.onUp("b", (node) => told.push(`up ${node}`));
    a.onDown("b", (node) => told.push(`down ${node}`));
    a.onUp("*", (node) => told.push(`* up ${node}`));
    a.onDown("*", (node) => told.push(`* down ${node}`));
    a.onUp("c", () => told.push("wrong"));
    const events: string[] = [];
    a.addEventListener("up", ({ detail }) => events.push(`up ${detail.node} ${detail.channel ?? ""}`.trim()));
    a.addEventListener("down", ({ detail }) => events.push(`down ${detail.node} ${detail.channel ?? ""}`.trim()));
    await b.syncJoin(a.spec);
    await world.until("up", () => told.length === 2 && events.length === 3);
    await b.stop();
    await world.until("down", () => told.length === 4 && events.length === 4);
    const again = await world.start("b", { listen: b.spec.addresses[0] });
    await world.settled([a, again]);
    assertEquals(told, ["up b", "* up b", "down b", "* down b", "up b", "* up b"]);
    assertEquals(events.filter((event) => !event.includes(" default") && !event.includes(" membership")), [
      "up b",
      "down b",
      "up b",
    ]);
  },
);

scenario("With { channel }: up when the channel has all its connections, down when it has none", async (world) => {
  const channels = { bulk: { parallelism: 3 } };
  const [a, b] = [await world.start("a", { channels }), await world.start("b", { channels })];
  const told: string[] = [];
  for (const channel of ["bulk", "default", "membership"]) {
    a.onUp("b", (_, of) => told.push(`up ${of} ${present(a.stats().peers.b).connections > 0}`), { channel });
    a.onDown("b", (_, of) => told.push(`down ${of}`), { channel });
  }
  a.onUp("b", () => told.push("wrong"), { channel: "nonsense" });
  await b.syncJoin(a.spec);
  await world.settled([a, b]);
  assertEquals(told.sort(), ["up bulk true", "up default true", "up membership true"]);
  assert(a.isConnected("b", "bulk") && !a.isConnected("b", "nonsense"));
  told.length = 0;
  await b.stop();
  await world.until("all are down", () => told.length === 3);
  assertEquals(told.sort(), ["down bulk", "down default", "down membership"]);
  assert(!a.isConnected("b", "bulk"));
});

scenario("A node whose connections break and come back is told of in turns, never twice alike", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const told: string[] = [];
  a.onUp("b", () => told.push("up"));
  a.onDown("b", () => told.push("down"));
  for (let round = 1; round <= 5; round++) {
    world.breakConnections("a");
    await world.until("down and up again", () => told.length === 2 * round);
    await world.settled([a, b]);
  }
  for (const [index, status] of told.entries()) assertEquals(status, index % 2 === 0 ? "down" : "up");
});

scenario("Disposing a subscription ends it; a listener that throws harms no other node", async (world) => {
  const a = await world.start("a");
  const told: string[] = [];
  {
    using _ended = a.onUp("*", () => told.push("disposed"));
  }
  a.onUp("*", () => {
    throw new Error("oops");
  });
  a.onUp("*", () => told.push("up"));
  const b = await world.start("b");
  await b.syncJoin(a.spec);
  await world.until("it was told", () => told.length > 0);
  assertEquals(told, ["up"]);
  assertEquals(world.errors.splice(0).map(({ during }) => during), ["calling a listener"]);
  // @ts-expect-error -- no listener
  assertThrows(() => a.onUp("*"), TypeError);
});

scenario(
  "A silent node is suspected, then down, and stays a member; when it goes on it is up, and no other node was down",
  async (world) => {
    const nodes = await world.cluster(["a", "b", "c", "d", "e"]);
    const told: string[] = [];
    for (const node of nodes) {
      node.onDown("*", (other) => told.push(`${node.name}: ${other} down`));
      node.onUp("*", (other) => told.push(`${node.name}: ${other} up`));
    }
    let suspected = 0;
    for (const node of nodes) {
      node.addEventListener("suspect", ({ detail }) => void (detail.node === "c" && suspected++));
    }
    world.simulated.pause("c");
    const others = nodes.filter(({ name }) => name !== "c");
    const pausedAt = world.clock.now();
    await world.until("all noticed", () => told.length === 4);
    assert(world.clock.now() - pausedAt <= 200 * (5 + 2), `${world.clock.now() - pausedAt} ms`);
    assert(suspected > 0);
    for (const node of others) assert(node.member("c") && !node.isConnected("c") && !node.isFullyConnected("c"));
    world.simulated.resume("c");
    await world.settled(nodes);
    assertEquals(told.sort(), ["a", "b", "d", "e"].flatMap((name) => [`${name}: c down`, `${name}: c up`]));
  },
  ["memory"],
);

scenario("Two halves that are cut apart keep their members, and heal by themselves", async (world) => {
  const nodes = await world.cluster(["a", "b", "c", "d", "e", "f"]);
  world.simulated.network.cut(["a", "b", "c"], ["d", "e", "f"]);
  await world.until("both halves noticed", () => nodes.every((node) => node.connected().length === 2));
  for (const node of nodes) assertEquals(node.members().length, 6);
  world.simulated.network.heal();
  const healedAt = world.clock.now();
  await world.settled(nodes);
  // Two gossip intervals, beyond the redial back-off.
  assert(world.clock.now() - healedAt <= 2 * 200 + 500, `${world.clock.now() - healedAt} ms`);
}, ["memory"]);

scenario(
  "A node that goes down is told of by one event, and a channel that stays away by one of its own",
  async (world) => {
    const [a, b, c] = await world.cluster(["a", "b", "c"], { channels: { bulk: { parallelism: 2 } } });
    await world.opened([a, b, c]);
    const told: string[] = [];
    for (const type of ["up", "down"] as const) {
      a.addEventListener(type, ({ detail }) => told.push(`${type} ${detail.node} ${detail.channel ?? ""}`.trim()));
    }
    await b.stop();
    await world.until("b is down", () => !a.isConnected("b"));
    const channels: string[] = [];
    using _lost = a.onDown("c", (_, channel) => channels.push(present(channel)), { channel: "bulk" });
    const peer = entryOf(PeerService.nodeOf(a).pool.peers, c.name);
    for (const connection of peer.connections()) if (connection.channel === "bulk") connection.close();
    await world.until("bulk was lost, and is back", () => channels.length === 1 && a.isFullyConnected("c"));
    await new Promise<void>((resolve) => world.clock.schedule(1_100, resolve));
    assertEquals(told, ["down b"]);
  },
);
