// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Causal order between nodes that have no connection with each other: others pass on what they say. */

import { assertEquals, assertFalse } from "@std/assert";
import { clientServer, type Strategy } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";

const ORDER = { transitive: true, ack: true, causalLabel: "order" };

/** Longer than nodes of which nothing is heard are remembered. */
const SILENCE_MS = 150_000;

/** A strategy of nodes that may not know all of the cluster: they take no word of others about it while `isDeaf` says so. */
function deafWhile(isDeaf: () => boolean, strategy: Strategy): Strategy {
  return new Proxy(strategy, {
    get(_, key: keyof Strategy) {
      const value = strategy[key];
      if (key === "knowsAll") return false;
      if (typeof value !== "function") return value;
      if (key === "handleMessage" && isDeaf()) return (state: unknown) => ({ state, outgoing: [] });
      return value.bind(strategy);
    },
  });
}

function tagOf(name: string): { tag: string } {
  return { tag: name === "hub" ? "server" : "client" };
}

Deno.test("causal messages reach the next incarnation of a node, of which their sender has not heard", async () => {
  let isDeaf = false;
  const heard: unknown[] = [];
  await using cluster = await SimulatedCluster.start({
    nodes: ["hub", "ann", "bob"],
    options: (name) => ({
      strategy: deafWhile(() => isDeaf && name === "ann", clientServer()),
      metadata: tagOf(name),
    }),
    setup: (node) => node.register("ear", (message) => void heard.push(message)),
  });
  const ann = cluster.node("ann");
  await cluster.runUntil(() => ann.member("bob"));
  const before = cluster.node("bob").spec.incarnation;
  isDeaf = true;
  cluster.crash("bob");
  await cluster.startNode("bob");
  await cluster.runUntil(() => cluster.node("hub").isConnected("bob"));
  const outcomes = [1, 2, 3].map((number) => ann.forwardMessage("bob", "ear", number, ORDER));
  await cluster.wait(Promise.all(outcomes));
  assertEquals(heard, [1, 2, 3]);
  assertEquals(ann.membersForOrchestration().find(({ name }) => name === "bob")?.incarnation, before);
});

Deno.test("nodes without a connection with each other keep their causal order, however long they are silent", async () => {
  await using cluster = await SimulatedCluster.start({
    nodes: ["hub", "ann", "bob"],
    options: (name) => ({ strategy: clientServer(), metadata: tagOf(name) }),
  });
  const [ann, bob] = [cluster.node("ann"), cluster.node("bob")];
  const heard: unknown[] = [];
  bob.register("ear", (message) => void heard.push(message));
  for (let round = 0; round < 4; round++) {
    for (const number of [1, 2]) await cluster.wait(ann.forwardMessage("bob", "ear", [round, number], ORDER));
    await cluster.advance(SILENCE_MS);
  }
  assertFalse(ann.isConnected("bob"));
  assertEquals(heard, [0, 1, 2, 3].flatMap((round) => [[round, 1], [round, 2]]));
});
