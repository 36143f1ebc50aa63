// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { MessageTooLargeError, staticOverlay } from "../../mod.ts";
import { useChannels } from "../use_channels.ts";
import { firstOf } from "../values.ts";
import { scenario } from "./worlds.ts";

scenario(
  "A message that is larger than the receiver takes is rejected at once, acknowledged or not, and disturbs nothing",
  async (world) => {
    const a = await world.start("a");
    const b = await world.start("b", { maxFrameBytes: 2048 });
    await b.syncJoin(a.spec);
    await world.settled([a, b]);
    const heard = world.inbox(b, "log");
    for (const ack of [false, true]) {
      const large = "x".repeat(5000);
      await assertRejects(
        () => a.forwardMessage("b", "log", large, { ack }),
        MessageTooLargeError,
        "the limit is 2048",
      );
      await a.forwardMessage("b", "log", `ack: ${ack}`, { ack });
    }
    await world.until("the others arrived", () => heard.messages.length === 2);
    assertEquals(heard.messages, ["ack: false", "ack: true"]);
    // The other way round, the receiver's limit counts as well.
    await assertRejects(() => b.forwardMessage("a", "log", "x".repeat(5000)), MessageTooLargeError);
    assertEquals(world.errors, []);
  },
);

scenario(
  "A broadcast and a relayed message that are larger than one node takes are told of there, and break no connection",
  async (world) => {
    // A line: what "a" has for "c" goes over "b", and "c" takes little.
    const strategy = staticOverlay((name) => ({ a: ["b"], b: ["c"] })[name] ?? []);
    const [a, b] = [await world.start("a", { strategy }), await world.start("b", { strategy })];
    const c = await world.start("c", { strategy, maxFrameBytes: 2048 });
    await b.syncJoin(a.spec);
    await c.syncJoin(b.spec);
    await world.until("all know each other", () => a.members().length === 3 && a.isConnected("b"));
    await world.until("every channel is open", () => [a, b, c].map(useChannels).every(Boolean));
    const [atB, atC] = [world.inbox(b, "log"), world.inbox(c, "log")];
    a.register("log", () => {});
    const told: string[] = [];
    for (const node of [a, b]) {
      node.addEventListener(
        "undeliverable",
        ({ detail }) => told.push(`${node.name}: ${detail.node}: ${detail.reason}`),
      );
    }
    const connections = () =>
      [a, b, c].map((node) => node.stats().connections.dials + node.stats().connections.accepted);
    const before = connections();
    const large = "x".repeat(5000);
    a.broadcast("log", large);
    await world.until("b has it, and tells who does not take it", () => atB.messages.length === 1 && told.length === 1);
    assertEquals(told.pop(), `b: c: Cannot broadcast to "log" on "c": the message has 5003 bytes, the limit is 2048`);
    await a.forwardMessage("c", "log", large, { transitive: true });
    await world.until("a is told that no word came", () => told.length === 1);
    assertStringIncludes(firstOf(told), "a: c: ");
    // The last one before it is told at once.
    for (const options of [{ transitive: true }, {}]) {
      await assertRejects(() => b.forwardMessage("c", "log", large, options), MessageTooLargeError);
    }
    // What a node says of itself is not bound by the limit for messages.
    a.setAttribute("text", large);
    await world.until("c has read it", () => c.attribute("a", "text") === large);
    await a.forwardMessage("c", "log", "small", { transitive: true, ack: true });
    assertEquals(atC.messages, ["small"]);
    assertEquals(connections(), before);
    assertEquals(world.errors, []);
  },
);

scenario("A broadcast that its own node could not send is refused", async (world) => {
  const a = await world.start("a", { maxFrameBytes: 2048 });
  const heard = world.inbox(a, "log");
  assertThrows(() => a.broadcast("log", "x".repeat(2048)), MessageTooLargeError, `Cannot broadcast to "log"`);
  a.broadcast("log", "small");
  await world.until("the other one is there", () => heard.messages.length > 0);
  assertEquals(heard.messages, ["small"]);
});

scenario(
  "Nodes that take the smallest frames form a cluster, and tell each other much of themselves",
  async (world) => {
    const names = Array.from({ length: 24 }, (_, at) => `${at}`.padStart(100, "node"));
    const nodes = await world.cluster(names, { maxFrameBytes: 1024 });
    firstOf(nodes).setAttribute("text", "x".repeat(20_000));
    await world.until(
      "all have read it",
      () => nodes.every((node) => node.attribute(firstOf(names), "text") !== undefined),
    );
    assertEquals(world.errors, []);
  },
  ["memory"],
);
