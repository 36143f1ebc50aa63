// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { connected, nameOf, overlayScenario, SERVERS } from "./overlay_worlds.ts";

overlayScenario("members() is what the strategy knows, and connections are with some of them", async (_world, nodes, { name }) => {
  await Promise.resolve();
  const names = nodes.map((node) => node.name).sort();
  for (const node of nodes) {
    const members = node.members();
    assert(members.includes(node.name));
    assert(members.every((member) => names.includes(member)));
    if (name === "hyparview") assert(node.connected().every((peer) => members.includes(peer)));
    if (name === "clientServer" || name === "staticOverlay") assertEquals(members, names);
  }
  if (name === "staticOverlay") {
    const ring = nodes.map((_, index) => [index + 1, index + nodes.length - 1].map((at) => nameOf(at % nodes.length)));
    assertEquals(nodes.map((node) => node.connected()), ring.map((peers) => peers.sort()));
  }
  if (name === "clientServer") {
    const servers = names.filter((node) => Number(node.slice(1)) < SERVERS);
    for (const client of nodes.slice(SERVERS)) assertEquals(client.connected(), servers);
  }
});

overlayScenario("a transitive message reaches every node, plain, acknowledged and as a call", async (world, nodes) => {
  const inboxes = nodes.map((node) => world.inbox(node, "log"));
  for (const node of nodes) node.register("echo", (message) => [node.name, message]);
  const senders = [nodes[0]!, nodes.at(-1)!];
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
  const leaver = nodes.at(-2)!;
  const others = nodes.filter((node) => node !== leaver);
  await leaver.leave();
  await world.until("all forgot it", () => others.every((node) => !node.member(leaver.name) && !node.isConnected(leaver.name)));
  assertEquals(leaver.members(), [leaver.name]);
  await connected(world, others);
});
