// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { clientServer, hyparview, scampV2, type Strategy } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";

Deno.test("Faults between nodes that never were are refused, with the names that there are", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const faults: Record<string, () => void> = {
    cut: () => cluster.cut(["a"], ["bb"]),
    "cut away": () => cluster.cut("aa"),
    cutOneWay: () => cluster.cutOneWay(["aa", "a"], "b"),
    clog: () => cluster.clog("a", "bb", 1_000),
    reset: () => cluster.reset("bb", "a"),
    slowReader: () => cluster.slowReader("bb", 1_000),
  };
  for (const [fault, inject] of Object.entries(faults)) {
    const { message } = assertThrows(inject, Error, "there never was a node", fault);
    assertStringIncludes(message, `expected some of "a", "b"`, fault);
  }
  cluster.crash("b");
  cluster.cut("a", "b");
});

Deno.test("settled() waits for what nodes have not noticed yet: cuts in both ways and in one, and pauses", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  const faults: [string, () => void, () => void][] = [
    ["which is cut", () => cluster.cut("a"), () => cluster.heal()],
    ["which is cut", () => cluster.cutOneWay("b", "c"), () => cluster.heal()],
    ["is paused", () => cluster.pause("b"), () => cluster.resume("b")],
  ];
  for (const [reason, begin, end] of faults) {
    begin();
    await assertRejects(() => cluster.settled(500), Error, reason);
    end();
    await cluster.settled();
  }
});

const overlays: readonly (readonly [string, () => Strategy, tagOf?: (name: string) => string])[] = [
  ["hyparview", hyparview],
  ["scampV2", scampV2],
  ["clientServer", clientServer, (name) => name < "n03" ? "server" : "client"],
];

for (const [name, strategy, tagOf] of overlays) {
  Deno.test(`Over ${name}, a cluster has settled when there is a way from each node to each other one`, async () => {
    const nodes = Array.from({ length: 50 }, (_, index) => `n${`${index}`.padStart(2, "0")}`);
    const options = (node: string) => ({
      strategy: strategy(),
      metadata: tagOf === undefined ? {} : { tag: tagOf(node) },
    });
    await using cluster = await SimulatedCluster.start({ nodes, options });
    const others = nodes.slice(2);
    cluster.cut(nodes.slice(0, 2), others);
    await assertRejects(() => cluster.settled(500), Error, "which is cut");
    await cluster.runUntil(() =>
      cluster.nodes.every((node) => node.connected().every((to) => others.includes(node.name) === others.includes(to)))
    );
    await assertRejects(() => cluster.settled(500), Error, "there is no way along connections from");
    cluster.heal();
    await cluster.settled();
    cluster.pause("n07");
    await assertRejects(() => cluster.settled(500), Error, `"n07" is paused`);
  });
}

Deno.test("wait() says where handlers wait for time that does not pass", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const never = Promise.withResolvers<void>();
  cluster.node("b").register("slow", () => never.promise);
  const late: Record<string, () => Promise<unknown>> = {
    TimeoutError: () => cluster.node("a").call("b", "slow", 1, { timeout: 1_000 }),
    AckTimeoutError: () => cluster.node("a").forwardMessage("b", "slow", 1, { ack: true, timeout: 1_000 }),
    WaitLimitError: () => never.promise,
  };
  for (const [name, begin] of Object.entries(late)) {
    const error = await assertRejects(() => cluster.wait(begin(), 5_000), Error);
    assertEquals(error.name, name);
    assertStringIncludes(error.message, `Handlers have not finished at "b" (`, name);
    assertStringIncludes(error.message, "setTimeout()", name);
  }
  never.resolve();
  await cluster.advance(1);
  await assertRejects(
    () => cluster.wait(new Promise(() => {}), 10),
    Error,
    "the promise is still pending after 10 ms of virtual time",
  );
});
