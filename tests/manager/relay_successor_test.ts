// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { type NodeSpec, NotConnectedError } from "../../mod.ts";
import { type Strategy, unionOfViews, type View } from "../../strategy/mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";

/** End of an incarnation of a node, of which a node hears from others. */
interface End {
  readonly node: NodeSpec;
  readonly isRemoval: boolean;
}

interface Line {
  readonly self: NodeSpec;
  /** Nodes that it has met. */
  readonly met: View;
}

/** A strategy in which a node knows those that it has met, but for those of which it has heard that they are over. */
function line(ends: readonly End[]): Strategy<Line> {
  const endOf = ({ name, incarnation }: NodeSpec) =>
    ends.find(({ node }) => node.name === name && node.incarnation >= incarnation);
  const remaining = (view: View) => view.filter((node) => endOf(node) === undefined);
  const meet = (state: Line, node: NodeSpec) => ({
    state: { ...state, met: remaining(unionOfViews([node], state.met)) },
    outgoing: [],
  });
  const same = (state: Line) => ({ state, outgoing: [] });
  return {
    name: "line",
    init: (self) => ({ state: { self, met: [] }, outgoing: [] }),
    join: meet,
    up: meet,
    leave: same,
    down: same,
    periodic: (state) => ({ state: { ...state, met: remaining(state.met) }, outgoing: [] }),
    handleMessage: same,
    members: ({ self, met }) => unionOfViews([self], met),
    peers: ({ met }) => met,
    hasLeft: (_, node) => endOf(node) !== undefined,
    endOf: (_, node) => {
      const end = endOf(node);
      return end && { incarnation: end.node.incarnation, isRemoval: end.isRemoval };
    },
    snapshot: () => null,
  };
}

/** Has "a" send to "c", which it has met and is away. It hears that this incarnation is over; the next one joins "b" alone. */
async function outcome(isRemoval: boolean, transitive: boolean): Promise<unknown[]> {
  const ends: End[] = [];
  await using cluster = new SimulatedCluster({ options: (name) => ({ strategy: line(name === "a" ? ends : []) }) });
  const a = await cluster.startNode("a");
  const b = await cluster.startNode("b", { join: "a" });
  const { spec } = await cluster.startNode("c", { join: "a" });
  assert(await cluster.runUntil(() => a.connected().length === 2));
  await cluster.crash("c");
  assert(await cluster.runUntil(() => a.connected().length === 1));
  const heard: unknown[] = [];
  const sent = a.forwardMessage("c", "ear", "words", { transitive, ack: true, timeout: 60_000 })
    .then(() => "acknowledged", (error) => [error instanceof NotConnectedError, error.message]);
  ends.push({ node: spec, isRemoval });
  assert(await cluster.runUntil(() => !a.member("c")));
  const successor = await cluster.startNode("c", { join: "b" });
  successor.register("ear", (message) => void heard.push(message));
  assert(await cluster.runUntil(() => b.connected().length === 2));
  return [await cluster.wait(sent), heard, a.connected()];
}

Deno.test("a message that may be passed on waits for the next incarnation of its receiver, wherever that joins", async () => {
  assertEquals(await outcome(false, true), ["acknowledged", ["words"], ["b"]]);
});

Deno.test("a message that may not be passed on says that another incarnation of its receiver has begun", async () => {
  const reason = 'Cannot deliver to "c": it has begun another incarnation, which is not connected';
  assertEquals(await outcome(false, false), [[true, reason], [], ["b"]]);
});

Deno.test("a message that may be passed on does not wait for the next incarnation of a receiver that has left", async () => {
  const reason = 'Cannot deliver to "c": it has left the cluster';
  assertEquals(await outcome(true, true), [[true, reason], [], ["b"]]);
});

/** The same, under a causal label; "a" meets the next incarnation later, and sends it another message at once. */
async function causalOutcome(transitive: boolean): Promise<{ readonly ended: unknown; readonly heard: unknown[] }> {
  const ends: End[] = [];
  await using cluster = new SimulatedCluster({
    options: (name) => ({ strategy: line(name === "a" ? ends : []), causalLabels: ["talk"] }),
  });
  const a = await cluster.startNode("a");
  const b = await cluster.startNode("b", { join: "a" });
  const { spec } = await cluster.startNode("c", { join: "a" });
  assert(await cluster.runUntil(() => a.connected().length === 2));
  await cluster.crash("c");
  assert(await cluster.runUntil(() => a.connected().length === 1));
  const heard: unknown[] = [];
  const options = { transitive, ack: true, causalLabel: "talk", timeout: 60_000 };
  const sent = a.forwardMessage("c", "ear", "first", options)
    .then(() => "acknowledged", (error) => [error instanceof NotConnectedError, error.message]);
  ends.push({ node: spec, isRemoval: false });
  assert(await cluster.runUntil(() => !a.member("c")));
  const successor = await cluster.startNode("c", { join: "b" });
  successor.register("ear", (message) => void heard.push(message));
  assert(await cluster.runUntil(() => b.connected().length === 2));
  const met = Promise.withResolvers<void>();
  a.addEventListener("join", () => met.resolve(a.forwardMessage("c", "ear", "second", options)));
  await a.join(successor.spec);
  await cluster.wait(met.promise);
  return { ended: await cluster.wait(sent), heard };
}

Deno.test("a causal message that may be passed on comes first in the order of the next incarnation", async () => {
  assertEquals(await causalOutcome(true), { ended: "acknowledged", heard: ["first", "second"] });
});

Deno.test("a causal message that may not be passed on leaves no gap in the order of the next incarnation", async () => {
  const reason = 'Cannot deliver to "c": it has begun another incarnation, which is not connected';
  assertEquals(await causalOutcome(false), { ended: [true, reason], heard: ["second"] });
});
