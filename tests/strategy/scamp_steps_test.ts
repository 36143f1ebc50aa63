// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertGreater, assertLess } from "@std/assert";
import { type Outgoing, scampV1, scampV2, type Strategy } from "@partisan/peer-service/strategy";
import type { ScampState } from "../../strategy/scamp/state.ts";
import { nodeSpec } from "../node_spec.ts";
import { seededRandom } from "../seeded_random.ts";
import { firstOf } from "../values.ts";

/** One node, whose strategy is fed by hand, and which is connected with everyone. */
class Node {
  readonly strategy: Strategy;
  readonly random = seededRandom(1);
  sent: readonly Outgoing[] = [];
  state: ScampState;

  constructor(strategy: Strategy) {
    this.strategy = strategy;
    this.state = strategy.init(nodeSpec("self"), this.#context()).state as ScampState;
  }

  get view(): string[] {
    return this.state.view.map(({ node }) => node.name);
  }

  get said(): string[] {
    return this.sent.map(({ to, message }) => `${to.name} ${(message as { type: string }).type}`);
  }

  receive(from: string, message: unknown): this {
    return this.#take(this.strategy.handleMessage(this.state, nodeSpec(from), message, this.#context()));
  }

  pass(): this {
    return this.#take(this.strategy.periodic(this.state, this.#context()));
  }

  up(name: string): this {
    return this.#take(this.strategy.up(this.state, nodeSpec(name), this.#context()));
  }

  leave(name: string): this {
    return this.#take(this.strategy.leave(this.state, nodeSpec(name), this.#context()));
  }

  /** Gets these into its view. */
  know(...names: readonly string[]): this {
    for (const name of names) this.receive(name, { type: "welcome" });
    return this;
  }

  #take({ state, outgoing }: { readonly state: unknown; readonly outgoing: readonly Outgoing[] }): this {
    this.state = state as ScampState;
    this.sent = outgoing;
    return this;
  }

  #context() {
    const connected = new Set(Array.from({ length: 20 }, (_, index) => `n${index}`));
    return { now: 0, random: this.random.next, connected };
  }
}

Deno.test("scampV1(): a contact that is alone keeps the newcomer", () => {
  const node = new Node(scampV1()).receive("n1", { type: "subscribe", again: false, others: false });
  assertEquals(node.said, ["n1 welcome", "n1 kept"]);
  assertEquals(node.view, ["n1"]);
});

Deno.test("scampV1(): a contact sends a copy of a subscription to each node in its view, and c more", () => {
  const node = new Node(scampV1({ c: 2 })).know("n1", "n2", "n3").receive("n9", {
    type: "subscribe",
    again: false,
    others: false,
  });
  assertEquals(node.said[0], "n9 welcome");
  const copies = node.sent.slice(1);
  assertEquals(copies.length, 5);
  assertEquals(new Set(copies.map(({ to }) => to.name)), new Set(["n1", "n2", "n3"]));
  assertEquals(copies[0]?.message, { type: "subscription", node: nodeSpec("n9"), ttl: 40 });
  assertEquals(node.view, ["n1", "n2", "n3"]);
});

Deno.test("scampV1(): a neighbour that is up again without having been down is told who has left", () => {
  const node = new Node(scampV1()).know("n1", "n2").leave("n2");
  assertEquals(node.up("n1").said, ["n1 left"]);
  assertEquals(node.up("n2").said, ["n2 left"]);
  assertEquals(node.up("n3").said, []);
});

Deno.test("scampV1(): a copy is kept with probability 1 / (1 + view), and passed on otherwise", () => {
  let kept = 0;
  const node = new Node(scampV1()).know("n1", "n2", "n3");
  const { state } = node;
  for (let count = 0; count < 2_000; count++) {
    node.state = state;
    node.receive("n1", { type: "subscription", node: nodeSpec("n9"), ttl: 5 });
    if (node.view.includes("n9")) kept++;
    else assertEquals(["n2 subscription", "n3 subscription"].includes(firstOf(node.said)), true);
  }
  assertGreater(kept, 2_000 / 4 - 80);
  assertLess(kept, 2_000 / 4 + 80);
});

Deno.test("scampV1(): a copy whose steps are used up is kept, unless the node is known already", () => {
  const node = new Node(scampV1()).know("n1", "n2", "n3");
  for (let count = 0; count < 20; count++) node.receive("n1", { type: "subscription", node: nodeSpec("n9"), ttl: 1 });
  assertEquals(node.view, ["n1", "n2", "n3", "n9"]);
  assertEquals(node.sent, []);
});

Deno.test("scampV1(): of those who know a leaver all but c + 1 put one of its view in its place", () => {
  const node = new Node(scampV1({ c: 1 })).know("n1", "n2");
  for (const holder of ["n3", "n4", "n5", "n6"]) node.receive(holder, { type: "kept" });
  node.leave("self");
  const replacements = node.sent
    .map(({ to, message }) => ({
      to: to.name,
      ...(message as { type: string; node: { name: string }; isSpare: boolean }),
    }))
    .filter(({ type }) => type === "replace")
    .map(({ to, node, isSpare }) => [to, node.name, isSpare]);
  assertEquals(replacements, [["n3", "n1", false], ["n4", "n2", false], ["n5", "n1", true], ["n6", "n2", true]]);
  assertEquals(node.said.filter((line) => line.endsWith("left")).length, 6);
  assertEquals(node.strategy.members(node.state), []);
});

Deno.test("scampV1(): a spare one takes a leaver's place only where no other node is left", () => {
  const spare = { type: "replace", node: nodeSpec("n9"), isSpare: true };
  assertEquals(new Node(scampV1()).know("n1").receive("n1", spare).view, ["n9"]);
  assertEquals(new Node(scampV1()).know("n1", "n2").receive("n1", spare).view, ["n2"]);
});

Deno.test("scampV2(): a subscription walks before it has a contact, as many steps as the first view is large", () => {
  const node = new Node(scampV2()).know("n1", "n2", "n3").receive("n9", {
    type: "subscribe",
    again: false,
    others: false,
  });
  assertEquals(node.sent.length, 1);
  assertEquals(node.sent[0]?.message, { type: "walk", node: nodeSpec("n9"), again: false, ttl: 2, degree: 3 });
});

Deno.test("scampV2(): a walk to a node with more neighbours is taken back in proportion", () => {
  const node = new Node(scampV2()).know("n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8");
  let back = 0;
  for (let count = 0; count < 1_000; count++) {
    node.receive("n1", { type: "walk", node: nodeSpec("n9"), again: false, ttl: 5, degree: 2 });
    const { degree } = firstOf(node.sent).message as { degree: number };
    if (degree === 0) back++;
  }
  assertGreater(back, 700);
  assertLess(back, 800);
});

Deno.test("scampV2(): who subscribes again is not welcomed again, and replaces the copies that end meanwhile", () => {
  const node = new Node(scampV2({ c: 1 })).know("n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9", "n10");
  node.receive("n1", { type: "walk", node: nodeSpec("n11"), again: true, ttl: 0, degree: 0 });
  assertEquals(node.said.every((line) => line.endsWith("subscription")), true);
  assertEquals(node.sent.length, 9);
});

Deno.test("a newcomer is told of others that it can turn to, where it understands that", () => {
  for (const strategy of [scampV1(), scampV2()]) {
    const node = new Node(strategy).know("n1", "n2", "n3");
    node.receive("n9", { type: "subscribe", again: false, others: true });
    const { to, message } = firstOf(node.sent);
    const { nodes, ...others } = message as { readonly nodes: readonly { readonly name: string }[] };
    assertEquals([to.name, others], ["n9", { type: "others" }]);
    assertEquals(nodes.map(({ name }) => name).sort(), ["n1", "n2", "n3"]);
    node.receive("n9", { type: "subscribe", again: false });
    assertFalse(node.said.includes("n9 others"));
  }
});

Deno.test("a node tries out one that it has heard of when half of its view is down for long, and forgets it soon unless it answers", () => {
  for (const strategy of [scampV1(), scampV2()]) {
    // Those from n20 on are out of reach.
    const node = new Node(strategy).know("n1", "n2", "n20", "n21");
    const passing = (rounds: number) => Array.from({ length: rounds }, () => node.pass().view.slice(4).join());
    node.receive("n1", { type: "others", nodes: [nodeSpec("n2"), nodeSpec("n22")] });
    assertEquals(passing(18), [...new Array(5).fill(""), ...new Array(10).fill("n22"), "", "", ""]);
    node.receive("n1", { type: "others", nodes: [nodeSpec("n3"), nodeSpec("n4")] });
    const [first, ...rest] = passing(18);
    assert(first === "n3" || first === "n4");
    // No more than that: half of the view is there again.
    assertEquals(new Set(rest), new Set([first]));
  }
});
