// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import { hyparview } from "@partisan/peer-service/strategy";
import type { NodeSpec } from "../../wire/node_spec.ts";
import type { HyParViewState } from "../../strategy/hyparview/state.ts";
import { nodeSpec } from "../node_spec.ts";
import { forEachSeed, seededRandom } from "../seeded_random.ts";
import { lastOf, present } from "../values.ts";

/** A node with a few places, whose strategy is fed by hand. */
class Node {
  readonly strategy = hyparview({ activeSize: 3 });
  readonly #context = { now: 0, random: seededRandom(1).next, connected: new Set<string>() };
  state = this.strategy.init(nodeSpec("self"), this.#context).state as HyParViewState;

  get active(): string[] {
    return this.state.active.map(({ name }) => name);
  }

  reserve(tag: string): boolean {
    const next = present(this.strategy.reserve).call(this.strategy, this.state, tag) as HyParViewState | null;
    this.state = next ?? this.state;
    return next !== null;
  }

  /** Whether `from` becomes a neighbour when it asks to. @returns Answer to it. */
  asked(from: NodeSpec, priority: "low" | "high" = "low"): string {
    const { state, outgoing } = this.strategy.handleMessage(
      this.state,
      from,
      { type: "neighbour", priority },
      this.#context,
    );
    this.state = state as HyParViewState;
    return (lastOf(outgoing).message as { type: string }).type;
  }

  periodic(): string[] {
    const { state, outgoing } = this.strategy.periodic(this.state, this.#context);
    this.state = state as HyParViewState;
    return outgoing.map(({ to }) => to.name);
  }
}

function tagged(name: string, tag: string): NodeSpec {
  return nodeSpec(name, 1, { metadata: { tag } });
}

Deno.test("hyparview() keeps a reserved place empty until a node with the tag comes", () => {
  const node = new Node();
  assert(node.reserve("cache"));
  assertEquals(["a", "b", "c"].map((name) => node.asked(nodeSpec(name))), ["accept", "accept", "reject"]);
  assertEquals(node.asked(tagged("x", "cache")), "accept");
  assertEquals(node.active, ["a", "b", "x"]);
  assertEquals(node.asked(tagged("y", "cache")), "reject", "one place is kept, not two");
});

Deno.test("hyparview() does not send a node away for which it keeps a place", () => {
  const node = new Node();
  node.reserve("cache");
  node.asked(tagged("x", "cache"));
  for (let count = 0; count < 50; count++) node.asked(nodeSpec(`n${count}`), "high");
  assert(node.active.includes("x"), node.active.join());
  assertEquals(node.active.length, 3);
});

Deno.test("hyparview() makes room in a full view when a node comes for which a place was reserved later", () => {
  const node = new Node();
  for (const name of ["a", "b", "c"]) node.asked(nodeSpec(name));
  assert(node.reserve("cache"));
  assertEquals(node.asked(tagged("x", "cache")), "accept");
  assertEquals(node.active.length, 3);
  assert(node.active.includes("x"));
});

Deno.test("hyparview() asks a node that it knows in reserve to take the place that is kept for it", () => {
  const node = new Node();
  for (const name of ["a", "b"]) node.asked(nodeSpec(name));
  node.state = { ...node.state, passive: [nodeSpec("c"), tagged("x", "cache"), nodeSpec("d")] };
  node.reserve("cache");
  assert(node.periodic().includes("x"));
  assert(node.state.pending.every((entry) => entry.node.name === "x"), "the others have no place to take");
});

Deno.test("hyparview() keeps one place at least for all others, and reserves none twice", () => {
  const node = new Node();
  assertEquals(["cache", "log", "more"].map((tag) => node.reserve(tag)), [true, true, false]);
  assertStrictEquals(node.strategy.reserve?.(node.state, "log"), node.state);
});

Deno.test("hyparview() has never more neighbours than places, whatever is reserved and whichever node asks", () => {
  forEachSeed(200, ({ int, pick }) => {
    const node = new Node();
    for (let step = 0; step < 60; step++) {
      if (int(10) === 0) node.reserve(pick(["s", "t", "u"]));
      const name = `n${int(20)}`;
      node.asked(tagged(name, pick(["", "", "s", "t"])), pick(["low", "high"]));
      assertLessOrEqual(node.state.active.length, 3);
      assertEquals(new Set(node.active).size, node.active.length);
    }
  });
});
