// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertLessOrEqual, assertThrows } from "@std/assert";
import { hyparview, type HyParViewOptions, type Outgoing, type Strategy } from "@partisan/peer-service/strategy";
import type { HyParViewState } from "../../strategy/hyparview/state.ts";
import { nodeSpec } from "../node_spec.ts";
import { forEachSeed, seededRandom } from "../seeded_random.ts";
import { firstOf, lastOf, nthOf, takeOf } from "../values.ts";

const random = seededRandom(1);
const context = { now: 0, random: random.next, connected: new Set<string>() };

/** One node, whose strategy is fed by hand. */
class Node {
  readonly strategy: Strategy;
  sent: readonly Outgoing[] = [];
  #state: unknown;

  constructor(options: HyParViewOptions = {}) {
    this.strategy = hyparview(options);
    this.#state = this.strategy.init(nodeSpec("self"), context).state;
  }

  get state(): HyParViewState {
    return this.#state as HyParViewState;
  }

  get active(): string[] {
    return this.state.active.map(({ name }) => name);
  }

  get passive(): string[] {
    return this.state.passive.map(({ name }) => name);
  }

  /** Messages that were sent by the last step, as `receiver type`. */
  get said(): string[] {
    return this.sent.map(({ to, message }) => `${to.name} ${(message as { type: string }).type}`);
  }

  receive(from: string, message: unknown): this {
    return this.#take(this.strategy.handleMessage(this.#state, nodeSpec(from), message, context));
  }

  join(peer: string): this {
    return this.#take(this.strategy.join(this.#state, nodeSpec(peer), context));
  }

  down(peer: string): this {
    return this.#take(this.strategy.down(this.#state, nodeSpec(peer), context));
  }

  up(peer: string, incarnation = 1): this {
    return this.#take(this.strategy.up(this.#state, nodeSpec(peer, incarnation), context));
  }

  periodic(): this {
    return this.#take(this.strategy.periodic(this.#state, context));
  }

  /** Becomes the neighbour of each. */
  befriend(...names: readonly string[]): this {
    for (const name of names) this.receive(name, { type: "neighbour", priority: "high" });
    return this;
  }

  #take({ state, outgoing }: { readonly state: unknown; readonly outgoing: readonly Outgoing[] }): this {
    this.#state = state;
    this.sent = outgoing;
    return this;
  }
}

Deno.test("hyparview(): a contact accepts a newcomer and sends its name on a walk from each other neighbour", () => {
  const node = new Node().befriend("a", "b").receive("new", { type: "join" });
  assertEquals(node.said, ["new accept", "a forwardJoin", "b forwardJoin"]);
  assertEquals(node.sent[1]?.message, { type: "forwardJoin", node: nodeSpec("new"), ttl: 6 });
  assertEquals(node.active, ["a", "b", "new"]);
});

Deno.test("hyparview(): a newcomer's walk goes on by one step, never back, and leaves the name in reserve on its way", () => {
  const node = new Node().befriend("a", "b");
  node.receive("a", { type: "forwardJoin", node: nodeSpec("new"), ttl: 6 });
  assertEquals(node.sent, [{
    to: nodeSpec("b"),
    message: { type: "forwardJoin", node: nodeSpec("new"), ttl: 5 },
  }]);
  assertEquals(node.passive, []);
  node.receive("a", { type: "forwardJoin", node: nodeSpec("new"), ttl: 3 });
  assertEquals(node.passive, ["new"]);
});

Deno.test("hyparview(): where a newcomer's walk ends, it is asked to become a neighbour", () => {
  const node = new Node().befriend("a", "b");
  node.receive("a", { type: "forwardJoin", node: nodeSpec("new"), ttl: 0 });
  assertEquals(node.said, ["new neighbour"]);
  assertEquals(node.active, ["a", "b"]);
  assertEquals(node.receive("new", { type: "accept" }).active, ["a", "b", "new"]);
});

Deno.test("hyparview(): a full node refuses a neighbour of low priority, and makes room for one of high priority", () => {
  const node = new Node({ activeSize: 2 }).befriend("a", "b");
  assertEquals(node.receive("c", { type: "neighbour", priority: "low" }).said, ["c reject"]);
  node.receive("c", { type: "neighbour", priority: "high" });
  const dropped = node.passive[0];
  assertEquals(node.said, [`${dropped} disconnect`, "c accept"]);
  assertEquals(node.active.length, 2);
});

Deno.test("hyparview(): a node that was asked is a neighbour only once it accepted", () => {
  const node = new Node().join("a");
  assertEquals(node.said, ["a join"]);
  assertEquals(node.active, []);
  assertEquals(node.strategy.peers(node.state), []);
  // That is about an earlier link.
  assertEquals(node.receive("a", { type: "disconnect" }).state.pending.length, 1);
  assertEquals(node.receive("a", { type: "accept" }).active, ["a"]);
  assertEquals(node.state.pending, []);
});

Deno.test("hyparview(): an answer that comes too late is honoured if there is room, and taken back if not", () => {
  const node = new Node({ activeSize: 2 }).befriend("a");
  assertEquals(node.receive("b", { type: "accept" }).active, ["a", "b"]);
  assertEquals(node.receive("c", { type: "accept" }).said, ["c disconnect"]);
});

Deno.test("hyparview(): a neighbour that goes down is replaced from the reserve", () => {
  const node = new Node({ activeSize: 2 }).befriend("a", "b", "c");
  const [kept, gone] = node.active as [string, string];
  const spare = node.passive[0];
  assertEquals(node.down(gone).said, [`${spare} neighbour`]);
  assertEquals(node.active, [kept]);
  assertEquals(node.state.lost.map((entry) => entry.node.name), [gone]);
});

Deno.test("hyparview(): a node without neighbours asks with high priority, one with some asks with low priority", () => {
  const priorities = (node: Node) => node.sent.map(({ message }) => (message as { priority?: string }).priority);
  const node = new Node({ activeSize: 2 }).befriend("a", "b", "c");
  const [kept, gone] = node.active as [string, string];
  assertEquals(priorities(node.down(gone)), ["low"]);
  assertEquals(new Set(priorities(node.down(kept))), new Set(["high"]));
});

Deno.test("hyparview(): a request that is not answered for a whole interval has failed", () => {
  const node = new Node({ activeSize: 2 }).befriend("a", "b", "c");
  const spare = firstOf(node.passive);
  node.down(firstOf(node.active));
  assertEquals(node.periodic().passive, [spare]);
  assertEquals(node.periodic().passive, []);
});

Deno.test("hyparview(): a node that is alone asks others at once when one cannot be reached, but no node twice in one interval", () => {
  const node = new Node({ activeSize: 2, passiveSize: 9 }).befriend("a", "b", "c", "d");
  for (const neighbour of node.active) node.down(neighbour);
  const asked: string[] = [];
  for (let count = 0; count < 20; count++) {
    const next = node.state.pending.find(({ hasFailed }) => !hasFailed);
    if (next === undefined) break;
    asked.push(next.node.name);
    node.down(next.node.name);
  }
  assertEquals(asked.toSorted(), ["a", "b", "c", "d"]);
  assertEquals(node.periodic().sent, []);
  assertGreater(node.periodic().sent.length, 0);
});

Deno.test("hyparview(): while others have no room, a node asks less and less often", () => {
  const node = new Node({ activeSize: 2, shuffleInterval: 10_000 }).befriend("a", "b", "c");
  node.down(firstOf(node.active));
  const spare = firstOf(node.passive);
  node.receive(spare, { type: "reject" });
  let requests = 0;
  for (let round = 0; round < 100; round++) {
    if (!node.periodic().said.includes(`${spare} neighbour`)) continue;
    requests++;
    node.receive(spare, { type: "reject" });
  }
  assertGreater(requests, 3);
  assertLessOrEqual(requests, 10);
});

Deno.test("hyparview(): a walk from a node that is no neighbour shows a link that only one end believes in", () => {
  const node = new Node().befriend("a");
  node.receive("stranger", { type: "shuffle", ttl: 3, nodes: [nodeSpec("stranger")], path: [] });
  assertEquals(node.said[0], "stranger disconnect");
});

Deno.test("hyparview(): a node shuffles ever more rarely while the cluster does not change, and at the interval again when it does", () => {
  const changes: Record<string, (node: Node) => unknown> = {
    "a neighbour goes down": (node) => node.down("a"),
    "a node left": (node) => node.receive("a", { type: "left", name: "x", incarnation: 3, isRemoval: true }),
    "a node joins here": (node) => node.receive("y", { type: "join" }),
    "a node joins elsewhere": (node) => node.receive("a", { type: "forwardJoin", node: nodeSpec("z"), ttl: 0 }),
  };
  for (const [change, happen] of Object.entries(changes)) {
    const node = new Node({ shuffleInterval: 4 }).befriend("a", "b", "c");
    const shuffles = (rounds: number) => {
      const found: number[] = [];
      for (let round = 0; round < rounds; round++) {
        if (node.periodic().said.some((said) => said.endsWith("shuffle"))) found.push(round);
      }
      return found;
    };
    const calm = shuffles(600);
    const waits = calm.slice(1).map((round, index) => round - nthOf(calm, index));
    assertEquals(waits.slice(0, 6), [8, 16, 32, 64, 64, 64], change);
    happen(node);
    const [first, second] = takeOf(shuffles(13), 2);
    assertLessOrEqual(first, 4, change);
    assertLessOrEqual(second - first, 8, change);
  }
});

Deno.test("hyparview(): a shuffle is answered along its path, with as many nodes", () => {
  const node = new Node({ shuffleInterval: 1 }).befriend("a", "b").periodic();
  node.receive("a", { type: "shuffle", ttl: 2, nodes: ["o", "p", "q"].map((name) => nodeSpec(name)), path: ["o"] });
  assertEquals(node.sent, [{
    to: nodeSpec("b"),
    message: {
      type: "shuffle",
      ttl: 1,
      nodes: ["o", "p", "q"].map((name) => nodeSpec(name)),
      path: ["o", "a"],
    },
  }]);
  const end = new Node().befriend("b");
  end.receive("b", { type: "shuffle", ttl: 1, nodes: [nodeSpec("o"), nodeSpec("p")], path: ["o", "a"] });
  assertEquals(end.sent, [{
    to: nodeSpec("b"),
    message: { type: "shuffleReply", nodes: [], departures: [], path: ["o", "a"] },
  }]);
  assertEquals(end.passive, ["o", "p"]);
  node.receive("b", { type: "shuffleReply", nodes: [nodeSpec("x")], departures: [], path: ["o", "a"] });
  assertEquals(node.said, ["a shuffleReply"]);
  node.receive("b", { type: "shuffleReply", nodes: [nodeSpec("y")], departures: [], path: [] });
  assert(node.passive.includes("y"));
});

Deno.test("hyparview(): a node takes what passes by into its reserve while that has room, and no longer", () => {
  const node = new Node({ passiveSize: 3 }).befriend("a", "b");
  const nodes = ["o", "p"].map((name) => nodeSpec(name));
  node.receive("a", { type: "shuffle", ttl: 3, nodes, path: [] });
  assertEquals(node.said, ["b shuffle"]);
  assertEquals(node.passive, ["o", "p"]);
  const more = ["b", "q", "r"].map((name) => nodeSpec(name));
  node.receive("b", { type: "shuffleReply", nodes: more, departures: [], path: ["a"] });
  assertEquals(node.said, ["a shuffleReply"]);
  assertEquals(node.passive, ["o", "p", "q"]);
  node.receive("a", { type: "shuffle", ttl: 3, nodes: [nodeSpec("s"), nodeSpec("q", 2)], path: [] });
  assertEquals(node.passive, ["o", "p", "q"]);
});

Deno.test("hyparview(): a shuffle that speaks of a node that left hears so", () => {
  const node = new Node().befriend("a").receive("a", { type: "left", name: "gone", incarnation: 3, isRemoval: true });
  node.receive("a", { type: "shuffle", ttl: 1, nodes: [nodeSpec("a"), nodeSpec("gone", 2)], path: [] });
  assertEquals(node.sent.at(-1)?.message, {
    type: "shuffleReply",
    nodes: [],
    departures: [{ name: "gone", incarnation: 3, isRemoval: true }],
    path: [],
  });
  assertEquals(node.passive, []);
});

Deno.test("hyparview(): views stay within their bounds, whatever comes", () => {
  forEachSeed(20, ({ int, pick }) => {
    const node = new Node({ activeSize: 3, passiveSize: 7 });
    const name = () => `n${int(50)}`;
    for (let step = 0; step < 200; step++) {
      const nodes = Array.from({ length: 1 + int(8) }, () => nodeSpec(name()));
      const message = pick([
        { type: "join" },
        { type: "accept" },
        { type: "reject" },
        { type: "disconnect" },
        { type: "neighbour", priority: pick(["high", "low"]) },
        { type: "forwardJoin", node: nodeSpec(name()), ttl: int(8) },
        { type: "shuffle", ttl: int(9), nodes, path: [] },
        { type: "shuffleReply", nodes, departures: [], path: [] },
      ]);
      const from = name();
      pick([() => node.receive(from, message), () => node.down(from), () => node.up(from), () => node.periodic()])();
      const { active, passive, pending, lost } = node.state;
      assertLessOrEqual(active.length, 3);
      assertLessOrEqual(passive.length, 7);
      assertLessOrEqual(lost.length, 16);
      assertLessOrEqual(pending.length, 6);
      const names = [...active, ...passive, ...lost.map((entry) => entry.node)].map((known) => known.name);
      assertEquals(new Set(names).size, names.length);
      assert(!names.includes("self"));
    }
  });
});

Deno.test("hyparview(): a newer incarnation retires the older one, and news of the older one are ignored", () => {
  const node = new Node().befriend("a", "b");
  assertEquals(node.up("a", 2).said, ["b left"]);
  assertEquals(node.active, ["b"]);
  // Whatever ends the membership of the older one ends this one's as well.
  assertEquals(node.state.passive, [{ ...nodeSpec("a", 2), since: 1 }]);
  assertEquals(node.receive("a", { type: "neighbour", priority: "high" }).active, ["b"]);
});

Deno.test("hyparview() refuses options that are out of range", () => {
  assertThrows(() => hyparview({ activeSize: 0 }), RangeError, 'Cannot use option "activeSize": 0');
  assertThrows(() => hyparview({ shuffleInterval: 1.5 }), RangeError, "shuffleInterval");
});

Deno.test("hyparview(): a node swaps a neighbour for one in reserve now and then, and waits longer from one time to the next", () => {
  const node = new Node({ passiveSize: 2 }).befriend("a", "b", "c", "d", "e");
  const rounds: number[] = [];
  for (let round = 0; round < 200; round++) {
    node.receive("a", { type: "forwardJoin", node: nodeSpec("p"), ttl: 3 });
    const asks = node.periodic().sent.filter(({ to, message }) =>
      to.name === "p" && (message as { priority?: string }).priority === "high"
    );
    if (asks.length > 0) rounds.push(round);
  }
  const waits = rounds.slice(1).map((round, index) => round - nthOf(rounds, index));
  assertGreater(waits.length, 2);
  assert(waits.every((wait, index) => index === 0 || wait > nthOf(waits, index - 1) / 2), `${waits}`);
  assertGreater(lastOf(waits), 3 * firstOf(waits));
});

Deno.test("hyparview(): a node that is accepted in a swap takes the place of a neighbour", () => {
  const node = new Node({ passiveSize: 2 }).befriend("a", "b", "c", "d", "e");
  node.receive("a", { type: "forwardJoin", node: nodeSpec("p"), ttl: 3 });
  for (let round = 0; round < 10 && !node.said.includes("p neighbour"); round++) node.periodic();
  node.receive("p", { type: "accept" });
  assertEquals(node.active.length, 5);
  assert(node.active.includes("p"));
  assertEquals(node.said.filter((line) => line.endsWith(" disconnect")).length, 1);
});

Deno.test("hyparview(): a node with two neighbours swaps none", () => {
  const node = new Node({ activeSize: 2, passiveSize: 2 }).befriend("a", "b");
  node.receive("a", { type: "forwardJoin", node: nodeSpec("p"), ttl: 3 });
  for (let round = 0; round < 100; round++) assertEquals(node.periodic().said.includes("p neighbour"), false);
});
