// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { scenario } from "./worlds.ts";

scenario("isConnected(), isFullyConnected() and connected() tell of nodes and of channels", async (world) => {
  const options = { channels: { bulk: { parallelism: 2 } } };
  const [a, b, c] = await world.cluster(["a", "b", "c"], options);
  assertEquals(a.connected(), ["b", "c"]);
  for (const node of ["b", b.spec]) {
    assert(a.isConnected(node));
    assert(a.isConnected(node, "bulk") && a.isConnected(node, "default") && a.isConnected(node, "membership"));
    assert(a.isFullyConnected(node));
  }
  assertFalse(a.isConnected("b", "unheard of"));
  assertFalse(a.isConnected("stranger") || a.isFullyConnected("stranger"));

  await c.stop();
  await world.until("a noticed", () => !a.isConnected("c"));
  assertFalse(a.isConnected("c", "bulk") || a.isFullyConnected("c"));
  assertEquals(a.connected(), ["b"]);
});

scenario("broadcast() reaches the handlers of every node once, its own included", async (world) => {
  const nodes = await world.cluster(["a", "b", "c", "d"]);
  const inboxes = nodes.map((node) => world.inbox(node, "news"));
  for (const node of nodes) node.broadcast("news", `from ${node.name}`);
  await world.until("all heard all", () => inboxes.every(({ messages }) => messages.length >= nodes.length));
  for (const { messages, contexts } of inboxes) {
    assertEquals(messages.toSorted(), nodes.map(({ name }) => `from ${name}`));
    assertEquals(contexts.map(({ from }) => `from ${from}`), messages);
  }
});
