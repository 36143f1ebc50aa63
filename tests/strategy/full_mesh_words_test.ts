// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { gossipFromValue, gossipToValue } from "../../gossip/gossip_message.ts";
import { MembershipSet } from "../../membership/membership_set.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { fullMesh } from "../../strategy/full_mesh.ts";
import type { FullMeshState } from "../../strategy/full_mesh_state.ts";
import type { StrategyContext } from "../../strategy/strategy.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { nodeSpec } from "../node_spec.ts";
import { forEachOf } from "../tuples.ts";
import { contextOf, memberState, names, strategy, told } from "./full_mesh_steps.ts";

const [a, b, c] = forEachOf(["a", "b", "c"], (name) => nodeSpec(name)) as [NodeSpec, NodeSpec, NodeSpec];

/** A context in which these nodes are connected, each in that incarnation. */
function connectedAs(incarnations: Readonly<Record<string, number>>, incarnationMax = 1_000): StrategyContext {
  const connected = Object.keys(incarnations);
  return { ...contextOf(connected), incarnationOf: (name) => incarnations[name], incarnationMax };
}

/** The set in which a name is a member, or was one, in that incarnation. */
function claim(name: string, incarnation: number, isThere: boolean): MembershipSet {
  const { set } = MembershipSet.empty().add(nodeSpec(name, incarnation));
  return isThere ? set : set.leave(name).set;
}

function say(state: FullMeshState, from: NodeSpec, delta: MembershipSet, context: StrategyContext) {
  return strategy.handleMessage(state, from, gossipToValue({ kind: "delta", delta, wanted: [] }), context);
}

Deno.test("fullMesh() believes of a connected node what it said itself, and asks it about what others say", () => {
  const state = memberState(a, [b, c]);
  const context = connectedAs({ b: 1, c: 1 });
  for (const isThere of [true, false]) {
    const heard = say(state, b, claim("c", 7, isThere), context);
    assertStrictEquals(heard.state, state);
    assertEquals(told(heard), ["c delta"]);
  }
  // Once the connection shows the new incarnation, or is gone, the word of others is good enough.
  for (const incarnations of [{ b: 1, c: 7 }, { b: 1 }]) {
    assertEquals(say(state, b, claim("c", 7, true), connectedAs(incarnations)).state.set.get("c")?.incarnation, 7);
  }
});

Deno.test("fullMesh() believes a member that removes another one, though that is connected", () => {
  const heard = say(memberState(a, [b, c]), b, claim("c", 1, false), connectedAs({ b: 1, c: 1 }));
  assertEquals(names(heard.state), ["a", "b"]);
});

Deno.test("fullMesh() believes no incarnation that is far in the future, nor one that a node does not have", () => {
  const state = memberState(a, [b]);
  for (const made of [claim("c", 1_001, true), claim("b", Number.MAX_SAFE_INTEGER, true), claim("b", 2, true)]) {
    const heard = say(state, b, made, connectedAs({ b: 1 }));
    assertStrictEquals(heard.state, state);
    assertEquals(heard.ignored, 1);
  }
});

Deno.test("fullMesh() lets a stranger say who it is and join, and nothing of others", () => {
  const state = memberState(a, [b, c]);
  const stranger = nodeSpec("x");
  const context = connectedAs({ b: 1, c: 1, x: 1 });
  for (const made of [claim("b", 1, false), claim("b", 5, true), claim("c", 9, false), claim("y", 1, true)]) {
    assertStrictEquals(say(state, stranger, made, context).state, state);
  }
  assertEquals(names(say(state, stranger, claim("x", 1, true), context).state), ["a", "b", "c", "x"]);

  const members = claim("x", 1, true).merge(claim("y", 3, true)).merge(claim("b", 5, true)).merge(claim("c", 9, false));
  const joined = strategy.handleMessage(state, stranger, gossipToValue({ kind: "join", members }), context);
  assertEquals(strategy.members(joined.state).map(({ name, incarnation }) => `${name} ${incarnation}`), [
    "a 1",
    "b 1",
    "c 1",
    "x 1",
    "y 3",
  ]);
  assertEquals(joined.ignored, 2);
});

Deno.test("fullMesh() takes a welcome only from a node that it asked", () => {
  const { state } = strategy.init(a, contextOf());
  const welcome = gossipToValue({ kind: "welcome", incarnation: 1, delta: memberState(b, [c]).set, companions: [] });
  const unasked = strategy.handleMessage(state, b, welcome, connectedAs({ b: 1 }));
  assertEquals(names(unasked.state), ["a", "b"]);
  const asked = strategy.join(state, b, contextOf(["b"])).state;
  assertEquals(names(strategy.handleMessage(asked, b, welcome, connectedAs({ b: 1 })).state), ["a", "b", "c"]);
});

Deno.test("fullMesh() tells a stranger's digest and summary nothing but to say who it is", () => {
  const state = memberState(a, [b, c]);
  for (const message of [[0, 1, 2], [1, [["b", 1, 1], ["y", 1, 1]]]]) {
    const { outgoing } = strategy.handleMessage(state, nodeSpec("x"), message, connectedAs({ x: 1 }));
    assertEquals(outgoing.map(({ message }) => gossipFromValue(message)), [
      { kind: "delta", delta: MembershipSet.empty(), wanted: ["x"] },
    ]);
  }
});

Deno.test("fullMesh() believes in no more members than it is told to", () => {
  const small = fullMesh({ membersMax: 5 });
  const { state } = small.init(a, contextOf());
  const made = Array.from({ length: 20 }, (_, index) => claim(`m${index}`, 1, true));
  const members = made.reduce((all, one) => all.merge(one), claim("x", 1, true));
  const joined = small.handleMessage(state, nodeSpec("x"), gossipToValue({ kind: "join", members }), contextOf(["x"]));
  assertEquals(small.members(joined.state).length, 5);
});

Deno.test("fullMesh() cuts what is too large for one frame into several", () => {
  const metadata = { text: "x".repeat(7_000) };
  const many = Array.from({ length: 300 }, (_, index) => nodeSpec(`n${index}`, 1, { metadata }));
  const joiner = strategy.init(b, contextOf()).state;
  const join = strategy.join(joiner, a, contextOf(["a"]));
  const atA = strategy.handleMessage(memberState(a, many), b, join.outgoing[0]?.message, contextOf());
  for (const { message } of atA.outgoing) assert(encode(message).length < 1024 * 1024);
  let atB = join.state;
  for (const { message } of atA.outgoing) atB = strategy.handleMessage(atB, a, message, contextOf(["a"])).state;
  assertEquals(strategy.members(atB).length, 302);
});

Deno.test("fullMesh() keeps only those in its snapshot that are worth it", () => {
  const state = memberState(a, [b, c]);
  const kept = strategy.snapshot(state, ({ name }) => name === "c");
  assertEquals(names(strategy.init(nodeSpec("a", 2), contextOf(), kept).state), ["a", "c"]);
});

Deno.test("fullMesh() leaves a name, at one incarnation, to the key that had it first, whichever node says otherwise", () => {
  const keyed = (byte: number | undefined, incarnation = 5): NodeSpec => {
    const spec = nodeSpec("d", incarnation);
    return byte === undefined ? spec : { ...spec, key: new Uint8Array(32).fill(byte) };
  };
  const owner = MembershipSet.empty().add(keyed(1));
  const state = say(memberState(a, [b, c]), b, owner.set, connectedAs({ b: 1 })).state;
  assertEquals(state.set.get("d")?.key?.[0], 1);
  for (const [from, byte] of [[c, 2], [c, undefined], [keyed(2), 2]] as const) {
    // Said as if it were newer than what the owner said of itself, or of an incarnation that begins here.
    for (const said of [owner.set.add(keyed(byte)).set, MembershipSet.empty().add(keyed(byte)).set]) {
      const next = say(state, from, said, connectedAs({ b: 1, c: 1 }));
      assertEquals(next.state.set.get("d")?.key?.[0], 1, `${from.name} ${byte}`);
    }
  }
  // Another incarnation may have another key, and a node that shows its own key says what it likes of itself.
  const reborn = say(state, keyed(3, 9), MembershipSet.empty().add(keyed(3, 9)).set, connectedAs({ b: 1, d: 9 })).state;
  assertEquals(reborn.set.get("d")?.key?.[0], 3);
});

Deno.test("fullMesh() leaves a node, at one incarnation, where it said that it is", () => {
  const state = memberState(a, [b, c]);
  const moved = { ...c, addresses: [{ hostname: "elsewhere", port: 1 }] };
  const said = state.set.add(moved).set.only(["c"]);
  for (const context of [connectedAs({ b: 1 }), connectedAs({ b: 1, c: 1 })]) {
    assertEquals(say(state, b, said, context).state.set.get("c")?.addresses, c.addresses);
  }
});
