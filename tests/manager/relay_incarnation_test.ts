// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import type { NodeSpec } from "../../mod.ts";
import { type Strategy, unionOfViews, type View } from "../../strategy/mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { nodeSpec } from "../node_spec.ts";

interface Line {
  readonly self: NodeSpec;
  /** Nodes that it is connected with. */
  readonly met: View;
}

/** A strategy in which a node knows those that it has met, and those of which it has `heard`, as it finds in each round. */
function line(heard: () => View, knowsAll: boolean): Strategy<Line> {
  const meet = (state: Line, node: NodeSpec) => ({
    state: { ...state, met: unionOfViews([node], state.met) },
    outgoing: [],
  });
  const same = (state: Line) => ({ state, outgoing: [] });
  return {
    name: "line",
    knowsAll,
    init: (self) => ({ state: { self, met: [] }, outgoing: [] }),
    join: meet,
    up: meet,
    leave: same,
    down: same,
    periodic: (state) => ({ state: { ...state }, outgoing: [] }),
    handleMessage: same,
    members: ({ self, met }) => unionOfViews([self], met, heard()),
    peers: ({ met }) => met,
    snapshot: () => null,
  };
}

/** Has "a" send to "c" by way of "b". To "c" only a former incarnation of "a" is known. */
async function send(knowsAll: boolean): Promise<{ heard: unknown[]; told: string[] }> {
  const heard: unknown[] = [];
  const told: string[] = [];
  await using cluster = new SimulatedCluster({
    options: (name) => ({ strategy: line(() => name === "c" ? [nodeSpec("a", 1)] : [], knowsAll) }),
  });
  const a = await cluster.startNode("a");
  await cluster.startNode("b", { join: "a" });
  const c = await cluster.startNode("c", { join: "b" });
  assert(await cluster.runUntil(() => cluster.node("b").connected().length === 2));
  c.register("ear", (message) => void heard.push(message));
  a.addEventListener("undeliverable", ({ detail: { node, reason } }) => told.push(`${node}: ${reason}`));
  assertEquals([a.connected(), c.memberInfo("a")?.spec.incarnation], [["b"], 1]);
  a.castMessage("c", "ear", "cast", { transitive: true });
  const acknowledged = a.forwardMessage("c", "ear", "acknowledged", { transitive: true, ack: true, timeout: 8_000 });
  await cluster.wait(acknowledged.catch((error) => told.push(error.name)));
  return { heard, told };
}

Deno.test("a node takes what others pass on of a successor, where its partial view has the former incarnation", async () => {
  assertEquals(await send(false), { heard: ["cast", "acknowledged"], told: [] });
});

Deno.test("the origin is told of a relayed message that was not taken, as its incarnation is not the one that all know", async () => {
  const told = ["c: It was relayed, and no word came that it has arrived", "AckTimeoutError"];
  assertEquals(await send(true), { heard: [], told });
});

Deno.test("a call that others pass on from a successor goes on when the news of it comes", async () => {
  let heard: View = [nodeSpec("a", 1)];
  await using cluster = new SimulatedCluster({
    options: (name) => ({ strategy: line(() => name === "c" ? heard : [], false) }),
  });
  const a = await cluster.startNode("a");
  await cluster.startNode("b", { join: "a" });
  const c = await cluster.startNode("c", { join: "b" });
  assert(await cluster.runUntil(() => cluster.node("b").connected().length === 2));
  const signals: AbortSignal[] = [];
  const replies: ((reply: string) => void)[] = [];
  c.register("slow", (_, { signal }) => {
    signals.push(signal);
    return new Promise<string>((resolve) => replies.push(resolve));
  });
  const reply = a.call("c", "slow", null, { transitive: true });
  a.castMessage("c", "slow", null, { transitive: true });
  assert(await cluster.runUntil(() => signals.length === 2));
  heard = [a.spec];
  assert(await cluster.runUntil(() => c.memberInfo("a")?.spec.incarnation === a.spec.incarnation));
  assertEquals(signals.map(({ aborted }) => aborted), [false, false]);
  for (const resolve of replies) resolve("here");
  assertEquals(await cluster.wait(reply), "here");
});
