// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertGreater, assertLess, assertLessOrEqual, assertThrows } from "@std/assert";
import type { NodeSpec } from "@partisan/peer-service/membership";
import { hyparview, type Strategy } from "@partisan/peer-service/strategy";
import { StrategySimulator } from "@partisan/peer-service/testing";
import type { HyParViewState } from "../../strategy/hyparview/state.ts";
import { OverlayGraph } from "../../testing/overlay_graph.ts";
import { nodeSpec } from "../node_spec.ts";
import { seededRandom } from "../seeded_random.ts";
import { entryOf } from "../values.ts";

const NODES = 100;
/** A link across costs as much as ten within a zone. */
const cost = (one: NodeSpec, other: NodeSpec): number => one.metadata.zone === other.metadata.zone ? 1 : 10;
const zoneOf = (name: string) => Number(name.slice(1)) % 2;

/** Nodes of two zones, each with its turn, which were left alone for some minutes. */
function twoZones(strategy: Strategy): StrategySimulator {
  const cluster = new StrategySimulator(strategy, { seed: 1, metadata: (name) => ({ zone: zoneOf(name) }) });
  for (let index = 0; index < NODES; index++) {
    cluster.start(`n${index}`, { join: index > 0 ? "n0" : undefined });
    cluster.run(50);
  }
  cluster.run(180_000);
  return cluster;
}

function graphOf(cluster: StrategySimulator): OverlayGraph {
  return new OverlayGraph(cluster.alive, (name) => cluster.neighbours(name));
}

/** Mean cost of a link. */
function linkCost(cluster: StrategySimulator): number {
  const costs = cluster.alive.flatMap((name) =>
    cluster.neighbours(name).map((other) => cost(cluster.spec(name), cluster.spec(other)))
  );
  return costs.reduce((sum, each) => sum + each) / costs.length;
}

Deno.test("hyparview(): with X-BOT links cost less than half as much in two zones, and the graph is as robust", () => {
  const [plain, biased] = [twoZones(hyparview()), twoZones(hyparview({ xbot: { cost } }))];
  assertGreater(linkCost(plain), 5);
  assertLess(linkCost(biased), 0.5 * linkCost(plain));

  const [plainGraph, biasedGraph] = [graphOf(plain), graphOf(biased)];
  assertEquals(biasedGraph.largestPart, 1);
  assertLessOrEqual(Math.max(...biasedGraph.degrees), 5);
  const full = ({ degrees }: OverlayGraph) => degrees.filter((degree) => degree >= 4).length;
  assertGreater(full(biasedGraph), 0.95 * NODES);
  assertLess(biasedGraph.clustering, plainGraph.clustering + 0.05);
  const starts = plain.alive.keys().toArray();
  assertLess(biasedGraph.distances(starts).mean, 1.05 * plainGraph.distances(starts).mean);
});

Deno.test("hyparview(): with X-BOT a flood reaches everyone soon after 30, 50 and 70 % of all nodes were killed", () => {
  for (const share of [0.3, 0.5, 0.7]) {
    const nodes = twoZones(hyparview({ xbot: { cost } }));
    for (const name of seededRandom(1).shuffle(nodes.alive).slice(0, share * NODES)) nodes.kill(name);
    nodes.run(20_000);
    assertEquals(graphOf(nodes).flood(0).reliability, 1, `${share}`);
  }
});

/** Some nodes without room, whose messages are handed over at once. */
class Table {
  readonly said: string[] = [];
  readonly #strategy = hyparview({
    activeSize: 1,
    xbot: { cost, unbiased: 0, scanned: 8, interval: 1 },
    shuffleInterval: 100,
  });
  readonly #specs = new Map<string, NodeSpec>();
  readonly #states = new Map<string, unknown>();

  constructor(zones: Readonly<Record<string, number>>) {
    for (const [name, zone] of Object.entries(zones)) {
      this.#specs.set(name, nodeSpec(name, 1, { metadata: { zone } }));
      this.#states.set(name, this.#strategy.init(entryOf(this.#specs, name), this.#context()).state);
    }
  }

  link(one: string, other: string): void {
    this.receive(one, other, { type: "neighbour", priority: "high" });
    this.said.length = 0;
  }

  /** A node hears of another one. */
  introduce(name: string, other: string): void {
    const state = this.#states.get(name) as HyParViewState;
    this.#states.set(name, { ...state, passive: [...state.passive, entryOf(this.#specs, other)] });
  }

  active(name: string): string[] {
    return (this.#states.get(name) as HyParViewState).active.map((node) => node.name);
  }

  periodic(name: string): void {
    this.#take(name, this.#strategy.periodic(this.#states.get(name), this.#context()));
  }

  receive(to: string, from: string, message: unknown): void {
    const state = this.#states.get(to);
    this.#take(to, this.#strategy.handleMessage(state, entryOf(this.#specs, from), message, this.#context()));
  }

  #take(name: string, { state, outgoing }: ReturnType<Strategy["periodic"]>): void {
    this.#states.set(name, state);
    for (const { to, message } of outgoing) {
      this.said.push(`${name} → ${to.name} ${(message as { type: string }).type}`);
      this.receive(to.name, name, message);
    }
  }

  #context() {
    return { now: 0, random: () => 0.5, connected: new Set<string>() };
  }
}

Deno.test("X-BOT exchanges the links i–o and c–d for i–c and d–o, as in the paper", () => {
  const table = new Table({ i: 1, c: 1, o: 2, d: 2 });
  table.link("i", "o");
  table.link("c", "d");
  table.introduce("i", "c");
  table.periodic("i");
  assertEquals(table.said, [
    "i → c optimization",
    "c → d replace",
    "d → o switch",
    "o → i disconnectWait",
    "o → d switchReply",
    "d → c replaceReply",
    "c → i optimizationReply",
  ]);
  const views = ["i", "c", "o", "d"].map((name) => [name, table.active(name)]);
  assertEquals(views, [["i", ["c"]], ["c", ["i"]], ["o", ["d"]], ["d", ["o"]]]);
});

Deno.test("X-BOT takes a candidate that has room, and tells the old neighbour", () => {
  const table = new Table({ i: 1, c: 1, o: 2 });
  table.link("i", "o");
  table.introduce("i", "c");
  table.periodic("i");
  assertEquals(table.said.slice(0, 3), ["i → c optimization", "c → i optimizationReply", "i → o disconnect"]);
  assertEquals([table.active("i"), table.active("c"), table.active("o")], [["c"], ["i"], []]);
});

Deno.test("X-BOT changes nothing where one of the four would have a more expensive neighbour", () => {
  for (const zones of [{ i: 1, c: 1, o: 2, d: 1 }, { i: 1, c: 1, o: 2, d: 3 }]) {
    const table = new Table(zones);
    table.link("i", "o");
    table.link("c", "d");
    table.introduce("i", "c");
    table.periodic("i");
    assertEquals(table.said.at(-1), "c → i optimizationReply");
    assertEquals([table.active("i"), table.active("c")], [["o"], ["d"]]);
  }
});

Deno.test("hyparview() without X-BOT declines an optimization", () => {
  const strategy = hyparview();
  const context = { now: 0, random: () => 0, connected: new Set<string>() };
  let { state } = strategy.init(nodeSpec("self"), context);
  for (const name of ["a", "b", "c", "d", "e"]) {
    state = strategy.handleMessage(state, nodeSpec(name), { type: "neighbour", priority: "high" }, context).state;
  }
  const optimization = { type: "optimization", old: nodeSpec("o") };
  const { outgoing } = strategy.handleMessage(state, nodeSpec("i"), optimization, context);
  const declined = { type: "optimizationReply", accepted: false, replaced: false, old: nodeSpec("o") };
  assertEquals(outgoing, [{ to: nodeSpec("i"), message: declined }]);
});

Deno.test("answers of X-BOT to questions that were not asked change nothing, with and without the option", () => {
  const context = { now: 0, random: () => 0, connected: new Set<string>() };
  const [neighbour, member, other] = [nodeSpec("n"), nodeSpec("m"), nodeSpec("o")];
  for (const strategy of [hyparview(), hyparview({ xbot: { cost } })]) {
    const begun = strategy.init(nodeSpec("self"), context).state;
    const { state } = strategy.handleMessage(begun, neighbour, { type: "neighbour", priority: "high" }, context);
    for (
      const message of [
        { type: "optimizationReply", old: neighbour, accepted: true, replaced: false },
        { type: "optimizationReply", old: neighbour, accepted: true, replaced: true },
        { type: "replaceReply", initiator: other, old: neighbour, accepted: true },
        { type: "switchReply", initiator: other, candidate: neighbour, accepted: true },
      ]
    ) {
      const after = strategy.handleMessage(state, member, message, context);
      assertEquals([strategy.peers(after.state), after.outgoing], [[neighbour], []], message.type);
    }
  }
});

Deno.test("hyparview() refuses options of X-BOT that are out of range, and malformed messages", () => {
  for (const options of [{ unbiased: -1 }, { unbiased: 65 }, { scanned: 0 }, { interval: 0.5 }]) {
    assertThrows(() => hyparview({ xbot: { cost, ...options } }), RangeError, "xbot.");
  }
  const strategy = hyparview({ xbot: { cost } });
  const context = { now: 0, random: () => 0, connected: new Set<string>() };
  const { state } = strategy.init(nodeSpec("self"), context);
  const [initiator, old, candidate] = [nodeSpec("i"), nodeSpec("o"), nodeSpec("c")];
  for (
    const message of [
      { type: "optimization" },
      { type: "optimizationReply", old, accepted: true, replaced: 1 },
      { type: "replace", initiator },
      { type: "replaceReply", initiator, old, accepted: "yes" },
      { type: "switch", candidate },
      { type: "switchReply", initiator, candidate },
    ]
  ) {
    assertThrows(() => strategy.handleMessage(state, nodeSpec("x"), message, context), TypeError, "hyparview");
  }
});
