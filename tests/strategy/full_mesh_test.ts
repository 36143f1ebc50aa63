// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLessOrEqual, assertStrictEquals, assertThrows } from "@std/assert";
import { gossipToValue } from "../../gossip/gossip_message.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { compareMembers } from "../../strategy/compare_members.ts";
import { fullMesh } from "../../strategy/full_mesh.ts";
import type { FullMeshState } from "../../strategy/full_mesh_state.ts";
import type { Outgoing, StrategyContext, Transition } from "../../strategy/strategy.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { nodeSpec } from "../node_spec.ts";
import { seededRandom } from "../seeded_random.ts";
import { forEachOf } from "../tuples.ts";
import { present } from "../values.ts";
import { contextOf, memberState, names, strategy, told } from "./full_mesh_steps.ts";

/** Hands over a message as the wire does. */
function receive(
  state: FullMeshState,
  from: string | NodeSpec,
  sent: Outgoing | undefined,
  connected: readonly string[] = [],
): Transition<FullMeshState> {
  const speaker = typeof from === "string" ? nodeSpec(from) : from;
  return strategy.handleMessage(state, speaker, decode(encode(sent?.message)), contextOf(connected));
}

const [a, b, c, d] = forEachOf(["a", "b", "c", "d"], (name) => nodeSpec(name)) as [
  NodeSpec,
  NodeSpec,
  NodeSpec,
  NodeSpec,
];

Deno.test("fullMesh() begins as a cluster of one", () => {
  const { state, outgoing } = strategy.init(a, contextOf());
  assertEquals([strategy.members(state), strategy.peers(state), outgoing], [[a], [], []]);
});

Deno.test("fullMesh() refuses options that are out of range", () => {
  assertThrows(() => fullMesh({ fanout: 0 }), RangeError, "fanout");
  assertThrows(() => fullMesh({ forgetAfter: -1 }), RangeError, "forgetAfter");
});

Deno.test("fullMesh() keeps connections with all members but itself", () => {
  const state = memberState(b, [c, a]);
  assertEquals(strategy.members(state), [a, b, c]);
  assertEquals(strategy.peers(state), [a, c]);
});

Deno.test("fullMesh().join() asks one node, who welcomes it and tells the connected members, who tell no node", () => {
  const joiner = strategy.init(d, contextOf()).state;
  const join = strategy.join(joiner, a, contextOf(["a"]));
  assertStrictEquals(join.state.set, joiner.set);
  assertEquals(told(join), ["a join"]);

  const atA = receive(memberState(a, [b, c]), "d", join.outgoing[0], ["b", "d"]);
  assertEquals(names(atA.state), ["a", "b", "c", "d"]);
  assertEquals(told(atA), ["d welcome", "b delta"]);

  const atD = receive(join.state, "a", atA.outgoing[0], ["a"]);
  assertEquals([names(atD.state), told(atD)], [["a", "b", "c", "d"], []]);
  const atB = receive(memberState(b, [a, c]), "a", atA.outgoing[1], ["a", "c", "d"]);
  assertEquals([names(atB.state), told(atB)], [["a", "b", "c", "d"], []]);
});

Deno.test("fullMesh().join() makes one cluster of two: each contact tells its own what is new", () => {
  const join = strategy.join(memberState(c, [d]), a, contextOf(["a", "d"]));
  const atA = receive(memberState(a, [b]), "c", join.outgoing[0], ["b", "c"]);
  assertEquals(told(atA), ["c welcome", "b delta"]);
  const atC = receive(join.state, "a", atA.outgoing[0], ["a", "d"]);
  assertEquals(told(atC), ["d delta"]);
  const atB = receive(memberState(b, [a]), "a", atA.outgoing[1], ["a"]);
  const atD = receive(memberState(d, [c]), "c", atC.outgoing[0], ["c"]);
  for (const { state } of [atA, atB, atC, atD]) assertEquals(names(state), ["a", "b", "c", "d"]);
});

Deno.test("fullMesh().join(): the joiner does not tell the nodes that its new cluster tells", () => {
  const joiner = strategy.init(c, contextOf()).state;
  const join = strategy.join(joiner, a, contextOf(["a"]));
  const atA = receive(memberState(a, [b, d]), "c", join.outgoing[0], ["b", "d"]);
  const early = receive(join.state, "b", {
    to: c,
    message: gossipToValue({ kind: "delta", delta: memberState(b, []).set, wanted: [] }),
  });
  const atC = receive(early.state, "a", atA.outgoing[0], ["a", "b"]);
  assertEquals([names(atC.state), told(atC)], [["a", "b", "c", "d"], []]);
});

Deno.test("fullMesh().catchUp() welcomes together those that came while more were connecting, and tells the rest once", () => {
  const asking = (node: NodeSpec) => strategy.join(strategy.init(node, contextOf()).state, a, contextOf([a.name]));
  const expecting = (now: number): StrategyContext => ({ ...contextOf(["b", "c", "d", "e"], now), isExpecting: true });
  const take = (state: FullMeshState, from: NodeSpec, now: number) =>
    strategy.handleMessage(state, from, decode(encode(asking(from).outgoing[0]?.message)), expecting(now));
  const [e] = [nodeSpec("e")];

  const first = take(memberState(a, [b]), c, 0);
  assertEquals(told(first), ["c welcome", "b delta"], "the first one does not wait");
  const second = take(first.state, d, 10);
  assertEquals([names(second.state), told(second)], [["a", "b", "c", "d"], []]);
  const third = take(second.state, e, 20);
  assertEquals([names(third.state), told(third)], [["a", "b", "c", "d", "e"], []]);

  const caughtUp = present(strategy.catchUp)(third.state, contextOf(["b", "c", "d", "e"], 30));
  assertEquals(told(caughtUp), ["d welcome", "e welcome", "b delta", "c delta"]);
  const atD = receive(asking(d).state, "a", caughtUp.outgoing[0], ["a"]);
  assertEquals(names(atD.state), ["a", "b", "c", "d", "e"]);
  const atB = receive(memberState(b, [a, c]), "a", caughtUp.outgoing[2], ["a"]);
  assertEquals(names(atB.state), ["a", "b", "c", "d", "e"]);
  assertEquals(told(present(strategy.catchUp)(caughtUp.state, contextOf())), []);
  assertEquals(told(take(caughtUp.state, nodeSpec("f"), 2_000)), [
    "f welcome",
    "b delta",
    "c delta",
    "d delta",
    "e delta",
  ]);
});

Deno.test("fullMesh().leave() of oneself first welcomes those that wait", () => {
  const join = strategy.join(strategy.init(c, contextOf()).state, a, contextOf(["a"]));
  const context = { ...contextOf(["b", "c"]), isExpecting: true };
  const waiting = strategy.handleMessage(
    { ...memberState(a, [b]), welcomedAt: 0 },
    c,
    join.outgoing[0]?.message,
    context,
  );
  assertEquals(told(waiting), []);
  assertEquals(told(strategy.leave(waiting.state, a, contextOf(["b", "c"]))), [
    "c welcome",
    "b delta",
    "b delta",
    "c delta",
  ]);
});

Deno.test("fullMesh().join() of oneself is nothing", () => {
  const { state } = strategy.init(a, contextOf());
  const join = strategy.join(state, a, contextOf());
  assertStrictEquals(join.state, state);
  assertEquals(join.outgoing, []);
});

Deno.test("fullMesh().leave() of oneself tells all connected members", () => {
  const left = strategy.leave(memberState(a, [b, c]), a, contextOf(["b"]));
  assertEquals([names(left.state), told(left)], [["b", "c"], ["b delta"]]);
  assertEquals(names(receive(memberState(b, [a, c]), "a", left.outgoing[0]).state), ["b", "c"]);
});

Deno.test("fullMesh().leave() of another tells all connected members, and that one even when it has to be dialed", () => {
  for (const connected of [["b"], ["b", "c"]]) {
    const left = strategy.leave(memberState(a, [b, c]), c, contextOf(connected));
    assertEquals([names(left.state), told(left)], [["a", "b"], ["b delta", "c delta"]]);
    const atC = receive(memberState(c, [a, b]), "a", left.outgoing[1]);
    assertEquals([names(atC.state), told(atC)], [["a", "b"], []]);
  }
});

Deno.test("fullMesh().leave() of a stranger is nothing", () => {
  const state = memberState(a, [b]);
  const left = strategy.leave(state, c, contextOf(["b"]));
  assertStrictEquals(left.state, state);
  assertEquals(left.outgoing, []);
});

Deno.test("fullMesh().periodic() sends a digest to as many different connected members as its fan-out", () => {
  const others = ["b", "c", "d", "e", "f"].map((name) => nodeSpec(name));
  const state = memberState(a, others);
  const chosen = new Set<string>();
  const random = seededRandom(7).next;
  for (let round = 0; round < 50; round++) {
    const context = { now: 0, random, connected: new Set(["b", "c", "d", "x"]) };
    const { outgoing, state: after } = strategy.periodic(state, context);
    assertStrictEquals(after, state);
    assertEquals(outgoing.length, 2);
    assertEquals(new Set(outgoing.map(({ to }) => to.name)).size, 2);
    for (const { to, message } of outgoing) {
      chosen.add(to.name);
      assertLessOrEqual(encode(message).length, 12);
    }
  }
  assertEquals(chosen, new Set(["b", "c", "d"]));
  assertEquals(told(strategy.periodic(state, contextOf(["b"]))), ["b digest"]);
  assertEquals(told(strategy.periodic(state, contextOf())), []);
});

Deno.test("fullMesh().handleMessage() says nothing to the digest of one that agrees", () => {
  const digest = strategy.periodic(memberState(a, [b, c]), contextOf(["b"])).outgoing[0];
  const state = memberState(b, [a, c]);
  const heard = receive(state, "a", digest);
  assertStrictEquals(heard.state, state);
  assertEquals(heard.outgoing, []);
});

Deno.test("fullMesh().handleMessage() answers another digest with a summary, that with a delta, that with what was asked", () => {
  const [stateA, stateB] = [memberState(a, [b, c]), memberState(b, [a, d])];
  const digest = strategy.periodic(stateA, contextOf(["b"]));
  const summary = receive(stateB, "a", digest.outgoing[0]);
  assertEquals(told(summary), ["a summary"]);
  const delta = receive(digest.state, "b", summary.outgoing[0]);
  assertEquals(told(delta), ["b delta"]);
  const reply = receive(summary.state, "a", delta.outgoing[0]);
  assertEquals([names(reply.state), told(reply)], [["a", "b", "c", "d"], ["a delta"]]);
  const end = receive(delta.state, "b", reply.outgoing[0]);
  assertEquals([names(end.state), told(end)], [["a", "b", "c", "d"], []]);
});

Deno.test("fullMesh().handleMessage() says nothing to the summary of one that agrees", () => {
  const state = memberState(b, [a, c]);
  const summary = { to: b, message: gossipToValue({ kind: "summary", dots: state.set.dots() }) };
  assertEquals(told(receive(state, "a", summary)), []);
});

Deno.test("fullMesh().handleMessage() answers at most 8 digests in an interval", () => {
  const digest = strategy.periodic(memberState(a, [b, c]), contextOf(["b"])).outgoing[0];
  let state = memberState(b, [a]);
  let summaries = 0;
  for (let index = 0; index < 20; index++) {
    const heard = receive(state, "a", digest);
    state = heard.state;
    summaries += heard.outgoing.length;
  }
  assertEquals(summaries, 8);
  state = strategy.periodic(state, contextOf()).state;
  assertEquals(told(receive(state, "a", digest)), ["a summary"]);
});

Deno.test("fullMesh().handleMessage() returns the state itself when a delta brings no news", () => {
  const state = memberState(b, [a, c]);
  const delta = { to: b, message: gossipToValue({ kind: "delta", delta: state.set, wanted: [] }) };
  const heard = receive(state, "a", delta, ["a", "c"]);
  assertStrictEquals(heard.state, state);
  assertEquals(heard.outgoing, []);
});

Deno.test("fullMesh().handleMessage() corrects one that spreads old news", () => {
  const young = memberState(b, [a, nodeSpec("c", 2)]);
  const old = { to: b, message: gossipToValue({ kind: "delta", delta: memberState(c, []).set, wanted: [] }) };
  const heard = receive(young, "a", old);
  assertStrictEquals(heard.state, young);
  assertEquals(told(heard), ["a delta"]);
  const corrected = receive(memberState(a, [b, c]), "b", heard.outgoing[0]);
  assertEquals(strategy.members(corrected.state).find(({ name }) => name === "c")?.incarnation, 2);
});

Deno.test("fullMesh().handleMessage() throws a TypeError upon malformed messages", () => {
  const { state } = strategy.init(a, contextOf());
  for (
    const malformed of [undefined, null, 7, "x", {}, [], [0], [7], [2, [["b"]], []], [3, [["b", 1, 1, [], {}, {}]]]]
  ) {
    assertThrows(() => strategy.handleMessage(state, b, malformed, contextOf()), TypeError, "Cannot read gossip: ");
  }
});

Deno.test("fullMesh().up() says nothing to a node that was never away, or is unknown", () => {
  const state = memberState(a, [b]);
  for (const peer of [b, c]) {
    const up = strategy.up(state, peer, contextOf([peer.name]));
    assertStrictEquals(up.state, state);
    assertEquals(up.outgoing, []);
  }
});

Deno.test("fullMesh().up() sends its own entry and a digest to a member that was away, once", () => {
  let { state } = strategy.down(memberState(a, [b, c]), b, contextOf(["c"]));
  assertStrictEquals(strategy.down(state, b, contextOf(["c"])).state, state);
  const up = strategy.up(state, b, contextOf(["b", "c"]));
  assertEquals(told(up), ["b delta", "b digest"]);
  assertEquals(told(strategy.up(up.state, b, contextOf(["b", "c"]))), []);
  state = strategy.down(up.state, b, contextOf(["c"])).state;
  assertEquals(told(strategy.up(state, b, contextOf(["b", "c"]))), ["b delta", "b digest"]);
});

Deno.test("fullMesh().up() sends its own entry and a digest to a member that comes with a newer incarnation", () => {
  const up = strategy.up(memberState(a, [b]), nodeSpec("b", 2), contextOf(["b"]));
  assertEquals(told(up), ["b delta", "b digest"]);
});

Deno.test("fullMesh().up() sends at most 4 digests in an interval, however many come back at once", () => {
  const others = Array.from({ length: 50 }, (_, index) => nodeSpec(`n${index}`));
  let state = memberState(a, others);
  for (const other of others) state = strategy.down(state, other, contextOf()).state;
  const sent = others.flatMap((other) => {
    const up = strategy.up(state, other, contextOf());
    state = up.state;
    return told(up);
  });
  assertEquals(sent.filter((what) => what.endsWith("delta")).length, 50);
  assertEquals(sent.filter((what) => what.endsWith("digest")).length, 4);
});

Deno.test("fullMesh(): a node that was removed while it was away learns it from the node that it meets first", () => {
  const removed = strategy.leave(memberState(a, [b, c]), c, contextOf(["b"])).state;
  const away = memberState(c, [a, b]);

  const up = strategy.up(removed, c, contextOf(["c"]));
  assertEquals(told(up), ["c delta"]);
  assertEquals(names(receive(away, "a", up.outgoing[0]).state), ["a", "b"]);

  const digest = strategy.periodic(away, contextOf(["a"])).outgoing[0];
  const answer = receive(removed, "c", digest);
  assertEquals(told(answer), ["c delta"]);
  assertEquals(names(receive(away, "a", answer.outgoing[0]).state), ["a", "b"]);

  const ownEntry = strategy.up(strategy.down(away, a, contextOf()).state, a, contextOf(["a"])).outgoing[0];
  const correction = receive(removed, "c", ownEntry);
  assertEquals([names(correction.state), told(correction)], [["a", "b"], ["c delta"]]);
});

Deno.test("fullMesh().up() tells an incarnation that goes on with one that was removed", () => {
  const removed = strategy.leave(memberState(a, [b, c]), c, contextOf(["b"])).state;
  const again = nodeSpec("c", 2, { since: 1 });
  const away = strategy.init(again, contextOf(), decode(encode(strategy.snapshot(memberState(c, [a, b]))))).state;
  assertEquals(names(away), ["a", "b", "c"]);

  const up = strategy.up(removed, again, contextOf(["c"]));
  assertEquals(told(up), ["c delta"]);
  assertEquals(names(receive(away, "a", up.outgoing[0]).state), ["a", "b"]);

  const digest = strategy.periodic(away, contextOf(["a"])).outgoing[0];
  const answer = strategy.handleMessage(removed, again, digest?.message, contextOf(["c"]));
  assertEquals(told(answer), ["c delta"]);
});

Deno.test("fullMesh().up() does not tell a new incarnation that the former one was removed", () => {
  const removed = strategy.leave(memberState(a, [b, c]), c, contextOf(["b"])).state;
  assertEquals(told(strategy.up(removed, nodeSpec("c", 2), contextOf(["c"]))), []);
});

Deno.test("fullMesh(): a node that was removed gossips no more and does not come back by what others say", () => {
  const removed = strategy.leave(memberState(a, [b, c]), a, contextOf(["b", "c"])).state;
  assertEquals(told(strategy.periodic(removed, contextOf(["b", "c"]))), []);
  assertEquals(told(strategy.up(strategy.down(removed, b, contextOf()).state, b, contextOf(["b"]))), []);
  const stale = { to: a, message: gossipToValue({ kind: "delta", delta: memberState(b, [a]).set, wanted: ["a"] }) };
  assertEquals(names(receive(removed, "b", stale).state), ["b", "c"]);
});

Deno.test("fullMesh(): a removed node comes back with a new incarnation", () => {
  const removed = strategy.leave(memberState(a, [b, c]), c, contextOf(["b"])).state;
  const again = strategy.init(nodeSpec("c", 2), contextOf()).state;
  const atA = receive(removed, nodeSpec("c", 2), strategy.join(again, a, contextOf(["a"])).outgoing[0], ["b", "c"]);
  assertEquals([names(atA.state), told(atA)], [["a", "b", "c"], ["c welcome", "b delta"]]);
});

/** The state of a node that has left a cluster with `others` and lives on alone. */
function aloneAfterLeaving(self: NodeSpec, others: readonly NodeSpec[]): FullMeshState {
  const left = strategy.leave(memberState(self, others), self, contextOf()).state;
  const again = { ...self, incarnation: self.incarnation + 1 };
  return strategy.init(again, contextOf(), decode(encode(strategy.snapshot(left)))).state;
}

Deno.test("fullMesh(): a member that missed that a node left learns it from that node's next incarnation, which stays alone", () => {
  const alone = aloneAfterLeaving(c, [a, b]);
  const missed = strategy.down(memberState(a, [b, c]), c, contextOf()).state;
  const up = strategy.up(missed, nodeSpec("c", 2), contextOf(["c"]));
  assertEquals(told(up), ["c delta", "c digest"]);
  for (const message of up.outgoing) {
    const heard = receive(alone, "a", message);
    assertStrictEquals(heard.state, alone);
    assertEquals(told(heard), ["a delta"]);
    assertEquals(names(receive(missed, "c", heard.outgoing[0]).state), ["a", "b"]);
  }
});

Deno.test("fullMesh(): a node that left takes no welcome for its former incarnation", () => {
  const join = strategy.join(memberState(c, []), a, contextOf(["a"])).outgoing[0];
  const welcome = receive(memberState(a, [b]), "c", join).outgoing[0];
  const late = receive(aloneAfterLeaving(c, []), "a", welcome);
  assertEquals([names(late.state), told(late)], [["c"], ["a delta"]]);
});

Deno.test("fullMesh(): two nodes that left say farewell once, not without end", () => {
  const farewell = receive(aloneAfterLeaving(b, [a, c]), "c", { to: b, message: [0, 1, 2] }).outgoing[0];
  assertEquals(told(receive(aloneAfterLeaving(c, [a, b]), "b", farewell)), []);
});

Deno.test("fullMesh(): a node that left can join again, even when the welcome is lost", () => {
  const alone = aloneAfterLeaving(c, [a, b]);
  const later = nodeSpec("c", 2);
  const join = strategy.join(alone, a, contextOf(["a"]));
  const atA = receive(memberState(a, [b]), later, join.outgoing[0]);
  const again = receive(join.state, "a", atA.outgoing[0]).state;
  assertEquals(names(again), ["a", "b", "c"]);
  const news = { to: c, message: gossipToValue({ kind: "delta", delta: memberState(d, []).set, wanted: [] }) };
  assertEquals(names(receive(again, "a", news).state), ["a", "b", "c", "d"]);

  const digest = strategy.periodic(atA.state, contextOf(["c"])).outgoing[0];
  const farewell = receive(alone, "a", digest);
  const correction = receive(atA.state, later, farewell.outgoing[0]);
  assertEquals(told(correction), ["c delta"]);
  const retry = receive(alone, "a", correction.outgoing[0]);
  assertEquals(told(retry), ["a join"]);
  const welcome = receive(correction.state, later, retry.outgoing[0]).outgoing[0];
  assertEquals(names(receive(retry.state, "a", welcome).state), ["a", "b", "c"]);
});

Deno.test("fullMesh(): a node that restarts elsewhere under its name is one member, at its new address", () => {
  const moved = nodeSpec("c", 2, { addresses: [{ hostname: "10.0.0.9", port: 7 }] });
  const restarted = strategy.init(moved, contextOf()).state;
  const join = strategy.join(restarted, a, contextOf(["a"])).outgoing[0];
  const atA = receive(memberState(a, [b, c]), moved, join, ["b", "c"]);
  assertEquals(told(atA), ["c welcome", "b delta"]);
  const atB = receive(memberState(b, [a, c]), "a", atA.outgoing[1]);
  for (const { state } of [atA, atB]) assertEquals(strategy.members(state), [a, b, moved]);
});

Deno.test("fullMesh(): a node whose name has a newer incarnation elsewhere is no member, and gossips no more", () => {
  const delta = {
    to: a,
    message: gossipToValue({ kind: "delta", delta: memberState(nodeSpec("a", 2), []).set, wanted: [] }),
  };
  const { state } = receive(memberState(a, [b]), "b", delta);
  assertEquals(strategy.members(state).map(({ name, incarnation }) => [name, incarnation]), [["a", 2], ["b", 1]]);
  assertEquals(strategy.peers(state), [b]);
  assertEquals(told(strategy.periodic(state, contextOf(["b"]))), []);
});

function prune(state: FullMeshState, nodes: readonly NodeSpec[], context: StrategyContext): Transition<FullMeshState> {
  assert(strategy.prune !== undefined);
  return strategy.prune(state, nodes, context);
}

Deno.test("compareMembers() says of a full mesh who would have to join and who to leave", () => {
  const state = memberState(a, [b, c]);
  const newer = nodeSpec("c", 2);
  assertEquals(compareMembers(strategy.members(state), [a, newer, d]), { joiners: [newer, d], leavers: [b] });
  assertEquals(compareMembers(strategy.members(state), [a, b, c]), { joiners: [], leavers: [] });
});

Deno.test("fullMesh().prune() forgets nodes without telling any node", () => {
  const state = strategy.down(memberState(a, [b, c]), b, contextOf()).state;
  const pruned = prune(state, [b, d], contextOf(["b", "c"]));
  assertEquals([names(pruned.state), pruned.outgoing], [["a", "c"], []]);
  assertEquals(pruned.state.away.size, 0);
  const removed = prune(strategy.leave(state, b, contextOf()).state, [b], contextOf()).state;
  assertEquals([removed.set.names, removed.absentSince.size], [["a", "c"], 0]);
  assertStrictEquals(prune(pruned.state, [b], contextOf()).state, pruned.state);
});

Deno.test("fullMesh() never changes a state that it was given", () => {
  const state = strategy.leave(strategy.down(memberState(a, [b, c, d]), b, contextOf()).state, d, contextOf()).state;
  const before = JSON.stringify([
    strategy.snapshot(state),
    [...state.away],
    [...state.absentSince],
    state.questionsLeft,
    state.answersLeft,
  ]);
  const connected = contextOf(["b", "c"], 1e9);
  strategy.join(state, c, connected);
  strategy.leave(state, c, connected);
  strategy.up(state, b, connected);
  strategy.down(state, c, connected);
  strategy.periodic(state, connected);
  prune(state, [b, d], connected);
  receive(state, "c", strategy.leave(memberState(c, [a, b]), b, connected).outgoing[0]);
  receive(state, "c", strategy.periodic(memberState(c, [a, b]), contextOf(["a"])).outgoing[0]);
  assertEquals(
    JSON.stringify([
      strategy.snapshot(state),
      [...state.away],
      [...state.absentSince],
      state.questionsLeft,
      state.answersLeft,
    ]),
    before,
  );
  assert(state.away.has("b"));
});
