// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Words of a member that lies, and what SCAMP makes of them. */

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type Outgoing, scampV1, scampV2, type Strategy } from "@partisan/peer-service/strategy";
import type { NodeSpec } from "@partisan/peer-service/membership";
import type { ScampState } from "../../strategy/scamp/state.ts";
import { nodeSpec } from "../node_spec.ts";
import { seededRandom } from "../seeded_random.ts";

const HONEST = ["a", "b", "c"];
const context = { now: 0, random: seededRandom(1).next, connected: new Set([...HONEST, "liar"]) };

/** One node that has "a", "b" and "c" in its view. */
class Node {
  readonly strategy: Strategy;
  state: ScampState;
  sent: readonly Outgoing[] = [];

  constructor(strategy: Strategy) {
    this.strategy = strategy;
    this.state = strategy.init(nodeSpec("self"), context).state as ScampState;
    for (const name of HONEST) this.hear(nodeSpec(name), { type: "welcome" });
  }

  get view(): string[] {
    return this.state.view.map(({ node }) => node.name);
  }

  hear(from: NodeSpec, message: unknown): this {
    const { state, outgoing } = this.strategy.handleMessage(this.state, from, message, context);
    [this.state, this.sent] = [state as ScampState, outgoing];
    return this;
  }

  lie(message: unknown): this {
    return this.hear(nodeSpec("liar"), message);
  }
}

for (const strategy of [scampV1, scampV2]) {
  Deno.test(`${strategy.name}(): only a node that is in the view, or was when it left, is replaced, and once`, () => {
    const node = new Node(strategy());
    const replace = (name: string) => ({ type: "replace", node: nodeSpec(name), isSpare: false });
    for (let index = 0; index < 5; index++) node.lie(replace(`made up ${index}`));
    assertEquals(node.view, HONEST);
    node.hear(nodeSpec("b"), { type: "left", name: "a", incarnation: 1, isRemoval: true });
    for (const name of ["d", "e"]) node.hear(nodeSpec("a"), replace(name));
    assertEquals(node.view, ["b", "c", "d"]);
  });

  Deno.test(`${strategy.name}(): a node that subscribes again and again in one interval is spread once`, () => {
    const node = new Node(strategy());
    let sent = 0;
    for (let count = 0; count < 20; count++) sent += node.lie({ type: "subscribe", again: false }).sent.length;
    assertLessOrEqual(sent, 1 + HONEST.length + 5);
  });

  Deno.test(`${strategy.name}(): a node comes back into the view that shows that it is not gone, whatever others said`, () => {
    const node = new Node(strategy()).lie({ type: "left", name: "a", incarnation: 1, isRemoval: true });
    assertEquals(node.view, ["b", "c"]);
    node.hear(nodeSpec("a", 2), { type: "left", name: "a", incarnation: 1, isRemoval: false });
    assertEquals(node.view, ["b", "c", "a"]);
  });

  Deno.test(`${strategy.name}(): a node that speaks itself is heard, although another one has named a later incarnation of it`, () => {
    const node = new Node(strategy());
    node.lie({ type: "subscription", node: nodeSpec("d", 9), ttl: 1 });
    assert(node.view.includes("d"));
    node.hear(nodeSpec("d", 3), { type: "kept" });
    assert(node.state.inView.some(({ node }) => node.name === "d" && node.incarnation === 3));
  });
}

Deno.test("scampV1(): the welcome of a node that was not asked does not end a subscription", () => {
  const node = new Node(scampV1());
  node.state = node.strategy.join(node.state, nodeSpec("z"), context).state as ScampState;
  assertEquals(node.lie({ type: "welcome" }).state.subscribing?.via, nodeSpec("z"));
  assertEquals(node.hear(nodeSpec("z"), { type: "welcome" }).state.subscribing, null);
});
