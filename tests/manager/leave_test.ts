// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { startPeerService, StoppedError } from "../../mod.ts";
import { scenario } from "./worlds.ts";

scenario(
  "leave() resolves when every other node has forgotten this one, before its connections close",
  async (world) => {
    const [a, b, c] = await world.cluster(["a", "b", "c"]);
    const order: string[] = [];
    for (const node of [a, b]) {
      node.addEventListener("leave", ({ detail }) => order.push(`${node.name}: leave ${detail.node}`));
      node.onDown("c", () => order.push(`${node.name}: down`));
    }
    await c.leave();
    assertEquals(order.filter((event) => event.includes("leave")).sort(), ["a: leave c", "b: leave c"]);
    assertEquals([a.members(), b.members(), c.members()], [["a", "b"], ["a", "b"], ["c"]]);
    await world.until("its connections are closed", () => order.length === 4);
    assertEquals(order.filter((event) => event.startsWith("a")), ["a: leave c", "a: down"]);
    assertEquals(a.connected(), ["b"]);
    assertEquals(c.connected(), []);
  },
);

scenario("A node that left never comes back by gossip", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  await c.leave();
  for (const node of [a, b]) {
    node.addEventListener("join", ({ detail }) => assert(detail.node !== "c", "it came back"));
  }
  const round = world.clock.now() + 2_000;
  await world.until("ten rounds have passed", () => world.clock.now() >= round);
  assertEquals([a.members(), b.members(), c.members()], [["a", "b"], ["a", "b"], ["c"]]);
});

scenario("join, leave and join again work on one object", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const heard = world.inbox(a, "log");
  for (let round = 1; round <= 3; round++) {
    await c.leave();
    assertEquals([a.members(), c.members()], [["a", "b"], ["c"]]);
    await c.syncJoin((round % 2 === 0 ? a : b).spec);
    await world.settled([a, b, c]);
    await c.forwardMessage("a", "log", round);
    await world.until("it arrived", () => heard.messages.length === round);
  }
  assertEquals(heard.messages, [1, 2, 3]);
});

scenario("leave(node) removes another one everywhere; it learns of it, emits removed and stops", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const removed: string[] = [];
  c.addEventListener("removed", ({ detail }) => removed.push(detail.node));
  await a.leave("c");
  assertEquals(a.members(), ["a", "b"]);
  await world.until("all know", () => removed.length === 1 && b.members().length === 2);
  assertEquals(removed, ["c"]);
  await assertRejects(() => c.join(a.spec), StoppedError);
  await world.until("its connections are closed", () => a.connected().join() === "b" && b.connected().join() === "a");
});

scenario("leave(node) takes a specification, and does nothing for a stranger", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  await a.leave("nobody");
  await a.leave({ ...b.spec, name: "stranger" });
  assertEquals(a.members(), ["a", "b"]);
  await a.leave(b.spec);
  assertEquals(a.members(), ["a"]);
});

scenario("A removed name comes back when it is started again", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  await a.leave("b");
  await b.stop();
  const again = await world.start("b", { listen: b.spec.addresses[0] });
  await again.syncJoin(a.spec);
  await world.settled([a, again]);
});

scenario("A node that is down can be removed; when it returns it learns that, and stops", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  world.simulated.pause("c");
  await world.until("it is down", () => !a.isConnected("c") && !b.isConnected("c"));
  assert(a.member("c"));
  await a.leave("c");
  await world.until("both forgot it", () => !a.member("c") && !b.member("c"));
  const removed = Promise.withResolvers<void>();
  c.addEventListener("removed", () => removed.resolve());
  world.simulated.resume("c");
  await removed.promise;
  assertEquals([a.members(), b.members()], [["a", "b"], ["a", "b"]]);
}, ["memory"]);

scenario("The last two nodes may leave each other", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  await Promise.all([a.leave(), b.leave()]);
  await world.until("both are alone", () => a.members().join() === "a" && b.members().join() === "b");
  await a.syncJoin(b.spec);
  await world.settled([a, b]);
});

scenario("leave() of a node that is alone changes nothing that others see", async (world) => {
  const a = await world.start("a");
  await a.leave();
  assertEquals(a.members(), ["a"]);
  const b = await world.start("b");
  await b.syncJoin(a.spec);
  await world.settled([a, b]);
});

scenario(
  "leave() waits until what was sent is read, over a connection that another one has replaced as well",
  async (world) => {
    // The one that joined has dialed the connections, and can dial them again while the other one does not read.
    const [b, a] = await world.cluster(["b", "a"]);
    await world.opened([a, b]);
    const passes = (milliseconds: number) =>
      new Promise<void>((resolve) => void world.clock.schedule(milliseconds, resolve));
    const heard: number[] = [];
    b.register("log", async (number: number) => {
      heard.push(number);
      await passes(20);
    }, { concurrency: 1 });
    const undeliverable: string[] = [];
    a.addEventListener("undeliverable", ({ detail }) => undeliverable.push(detail.name));
    const numbers = [...Array(10).keys()];
    for (const number of numbers) a.castMessage("b", "log", number);
    const { pool } = PeerService.nodeOf(a);
    const renewed = pool.renewal.renew();
    const isReplaced = () => [...pool.draining].some(({ channel }) => channel === "default");
    await world.until("another connection has its place", isReplaced);
    await a.leave();
    // The last one is read, and handed to the handler when that has room.
    assertGreaterOrEqual(heard.length, numbers.length - 1);
    await world.until("all have come", () => heard.length === numbers.length);
    assertEquals([heard, undeliverable, await renewed], [numbers, [], []]);
  },
  ["memory"],
);

Deno.test("leave() of a node that is stopped meanwhile writes nothing to the store that the node has given back", async () => {
  const writes: string[] = [];
  const store = {
    load: () => Promise.resolve(null),
    save: () => Promise.resolve(void writes.push("save")),
    unlock: () => void writes.push("unlock"),
  };
  await using a = await startPeerService({ name: "a", store });
  await using b = await startPeerService({ name: "b" });
  await a.syncJoin(b.spec);
  await Promise.all([a.leave(), a.stop()]);
  assertEquals(writes.at(-1), "unlock");
});
