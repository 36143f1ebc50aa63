// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Words of a member that lies, and what HyParView makes of them. */

import { assert, assertEquals, assertFalse, assertLess, assertLessOrEqual } from "@std/assert";
import { hyparview, type HyParViewOptions, type Outgoing } from "@partisan/peer-service/strategy";
import type { NodeSpec } from "@partisan/peer-service/membership";
import { has } from "../../strategy/view.ts";
import type { HyParViewState } from "../../strategy/hyparview/state.ts";
import { PASSED_MAX } from "../../strategy/quota.ts";
import { nodeSpec } from "../node_spec.ts";
import { seededRandom } from "../seeded_random.ts";

const context = { now: 0, random: seededRandom(1).next, connected: new Set<string>() };
const MADE_UP = Array.from({ length: 128 }, (_, index) => nodeSpec(`made up ${index}`));

/** One node with the neighbours "liar", "a" and "b". */
function world(options: HyParViewOptions = {}) {
  const strategy = hyparview(options);
  let { state } = strategy.init(nodeSpec("self"), context) as { state: HyParViewState };
  let sent: readonly Outgoing[] = [];
  const say = (message: unknown, from: NodeSpec = nodeSpec("liar")) => {
    const next = strategy.handleMessage(state, from, message, context);
    [state, sent] = [next.state as HyParViewState, next.outgoing];
  };
  const pass = () => {
    const next = strategy.periodic(state, context);
    [state, sent] = [next.state as HyParViewState, next.outgoing];
  };
  for (const name of ["liar", "a", "b"]) say({ type: "neighbour", priority: "high" }, nodeSpec(name));
  return { say, pass, state: () => state, sent: () => sent };
}

/** Gets so many honest nodes into the reserve. */
function fillReserve({ say }: ReturnType<typeof world>, count: number): void {
  for (let index = 0; index < count; index++) {
    say({ type: "neighbour", priority: "low" }, nodeSpec(`h${index}`));
    say({ type: "disconnect" }, nodeSpec(`h${index}`));
  }
}

function honest(nodes: readonly NodeSpec[]): number {
  return nodes.filter(({ name }) => name.startsWith("h")).length;
}

Deno.test("hyparview(): a shuffle that is longer than those of this node takes the place of as many nodes as one of its own", () => {
  const lying = world();
  fillReserve(lying, 30);
  assertEquals(honest(lying.state().passive), 30);
  lying.say({ type: "shuffle", ttl: 1, nodes: MADE_UP, path: [] });
  assertLessOrEqual(30 - honest(lying.state().passive), 8);
});

Deno.test("hyparview(): an answer to no shuffle changes nothing, and one to a shuffle brings as many nodes as that told", () => {
  const lying = world({ shuffleInterval: 10_000 });
  const departures = MADE_UP.map(({ name }) => ({ name, incarnation: 1, isRemoval: true }));
  const answer = { type: "shuffleReply", nodes: MADE_UP, departures: [], path: [] };
  lying.say({ ...answer, departures });
  assertEquals([lying.state().passive, lying.state().departures.size, lying.sent()], [[], 0, []]);
  const shuffling = world({ shuffleInterval: 1 });
  shuffling.pass();
  for (let count = 0; count < 2; count++) shuffling.say(answer);
  assertEquals(shuffling.state().passive.length, 4);
});

Deno.test("hyparview(): a refusal that was not asked for keeps no node from filling its view", () => {
  const lying = world();
  fillReserve(lying, 3);
  for (let count = 0; count < 10; count++) lying.say({ type: "reject" });
  const before = lying.state().fillAt;
  assertLessOrEqual(before, lying.state().round);
});

Deno.test("hyparview(): walks of newcomers that there are not leave room to ask those that there are", () => {
  const lying = world();
  lying.say({ type: "disconnect" }, nodeSpec("a"));
  for (let round = 0; round < 3; round++) {
    for (const node of MADE_UP) lying.say({ type: "forwardJoin", node, ttl: 0 });
    assertLessOrEqual(lying.state().pending.length, 10);
    lying.say({ type: "disconnect" }, nodeSpec("b"));
    lying.say({ type: "disconnect" }, nodeSpec("liar"));
    lying.pass();
  }
  assert(lying.state().pending.some(({ node }) => node.name === "b"));
});

Deno.test("hyparview(): a node that speaks itself is heard, although another one has named a later incarnation of it", () => {
  const lying = world();
  lying.say({ type: "shuffle", ttl: 1, nodes: [nodeSpec("h", 9)], path: [] });
  assert(has(lying.state().passive, "h"));
  lying.say({ type: "neighbour", priority: "high" }, nodeSpec("h", 3));
  assertEquals(lying.state().active.find(({ name }) => name === "h"), nodeSpec("h", 3));
  assertFalse(has(lying.state().passive, "h"));
});

Deno.test("hyparview(): a node passes on a bounded number of messages of a neighbour in one interval", () => {
  const lying = world();
  let passed = 0;
  for (let count = 0; count < 2 * PASSED_MAX; count++) {
    lying.say({ type: "left", name: `made up ${count}`, incarnation: 1, isRemoval: true });
    passed += lying.sent().length;
  }
  assertEquals(passed, 2 * PASSED_MAX);
  lying.pass();
  lying.say({ type: "left", name: "one more", incarnation: 1, isRemoval: true });
  assertEquals(lying.sent().length, 2);
  assertLess(lying.state().departures.size, PASSED_MAX);
});
