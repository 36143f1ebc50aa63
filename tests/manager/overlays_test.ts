// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { hyparview, type PeerServiceManager } from "../../mod.ts";
import { connected, optionsOf, overlayScenario, SERVERS } from "./overlay_worlds.ts";
import { firstOf, lastOf, present } from "../values.ts";

overlayScenario(
  "members() is what the strategy knows, and connections are with the nodes that it wants",
  async (world, nodes, { name }) => {
    const names = nodes.map((node) => node.name).sort();
    for (const node of nodes) {
      const members = node.members();
      assert(members.includes(node.name));
      assert(members.every((member) => names.includes(member)));
    }
    if (name === "staticOverlay") {
      await world.until("the ring is closed", () => nodes.every((node) => isInRing(node, nodes)));
    }
    if (name === "clientServer") {
      const servers = names.slice(0, SERVERS);
      for (const client of nodes.slice(SERVERS)) assertEquals(client.connected(), servers);
    }
    if (name === "hyparview") {
      await world.until(
        "no node has more neighbours than places",
        () => nodes.every((node) => node.connected().length <= 5),
      );
    }
  },
);

function isInRing(node: PeerServiceManager, nodes: readonly PeerServiceManager[]): boolean {
  const index = nodes.indexOf(node);
  const expected = [index + 1, index + nodes.length - 1].map((at) => present(nodes[at % nodes.length]).name).sort();
  return node.connected().join() === expected.join();
}

overlayScenario("a transitive message reaches every node, plain, acknowledged and as a call", async (world, nodes) => {
  const inboxes = nodes.map((node) => world.inbox(node, "log"));
  for (const node of nodes) node.register("echo", (message) => [node.name, message]);
  const senders = [firstOf(nodes), lastOf(nodes)];
  for (const sender of senders) {
    for (const { name } of nodes) {
      await sender.forwardMessage(name, "log", "plain", { transitive: true });
      await sender.forwardMessage(name, "log", "acknowledged", { transitive: true, ack: true, timeout: 10_000 });
      assertEquals(await sender.call(name, "echo", 1, { transitive: true, timeout: 10_000 }), [name, 1]);
    }
  }
  await world.until("the plain ones arrived", () => inboxes.every(({ messages }) => messages.length >= 4));
  for (const { messages } of inboxes) {
    assertEquals(messages.toSorted(), ["acknowledged", "acknowledged", "plain", "plain"]);
  }
});

overlayScenario("a broadcast reaches every node exactly once", async (world, nodes) => {
  const inboxes = nodes.map((node) => world.inbox(node, "news"));
  const senders = nodes.filter((_, index) => index % 3 === 0);
  for (const round of [1, 2, 3]) for (const sender of senders) sender.broadcast("news", `${sender.name} ${round}`);
  const expected = senders.flatMap(({ name }) => [1, 2, 3].map((round) => `${name} ${round}`)).sort();
  await world.until("all heard all", () => inboxes.every(({ messages }) => messages.length >= expected.length));
  for (const { messages } of inboxes) assertEquals((messages as string[]).toSorted(), expected);
});

overlayScenario("a node that leaves is gone from all views, and the others stay connected", async (world, nodes) => {
  const leaver = present(nodes.at(-2));
  const others = nodes.filter((node) => node !== leaver);
  await leaver.leave();
  await world.until(
    "all forgot it",
    () => others.every((node) => !node.member(leaver.name) && !node.isConnected(leaver.name)),
  );
  assertEquals(leaver.members(), [leaver.name]);
  await connected(world, others);
});

overlayScenario(
  "leave(spec) removes a node that is not among the members that are known here, everywhere",
  async (world, nodes) => {
    const [remover, removed] = firstOf(nodes.flatMap((node) => {
      const unknown = nodes.find(({ name }) => !node.member(name));
      return unknown === undefined ? [] : [[node, unknown] as const];
    }));
    const farewell = Promise.withResolvers<void>();
    removed.addEventListener("removed", () => farewell.resolve());
    await remover.leave(removed.spec);
    await farewell.promise;
    const others = nodes.filter((node) => node !== removed);
    await world.until("all forgot it", () => others.every((node) => !node.member(removed.name)));
    world.nodes.splice(world.nodes.indexOf(removed), 1);
    await connected(world, others);
  },
  ["memory"],
  ({ name }) => name.startsWith("scamp"),
);

overlayScenario(
  "reserve() keeps a place for a node with a tag",
  async (world, nodes, overlay) => {
    const keeper = firstOf(nodes);
    assert(keeper.reserve("cache"));
    const tagged = await world.start("cache", { strategy: hyparview(), metadata: { tag: "cache" } });
    await tagged.syncJoin(keeper.spec);
    await world.until("it is a neighbour", () => keeper.isConnected("cache"));
    for (let index = 0; index < 12; index++) {
      const other = await world.start(`late${index}`, optionsOf(overlay, 0, 0));
      await other.syncJoin(keeper.spec);
      nodes.push(other);
    }
    await connected(world, [...nodes, tagged]);
    assert(keeper.isConnected("cache"), "it was sent away for another");
  },
  ["memory"],
  ({ name }) => name === "hyparview",
);

overlayScenario(
  "a name that is not known here cannot be removed, and a caller that tries is told what to give instead",
  async (
    _world,
    nodes,
    { knowsAll },
  ) => {
    const node = firstOf(nodes);
    if (knowsAll) return await node.leave("n99");
    const error = await assertRejects(() => node.leave("n99"), TypeError, "give its specification");
    assertStringIncludes(error.message, '"n99"');
  },
  ["memory"],
);
