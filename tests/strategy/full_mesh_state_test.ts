// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { fullMesh } from "../../strategy/full_mesh.ts";
import {
  ABSENT_NAMES_MAX,
  forgetAbsent,
  type FullMeshState,
  isMember,
  withSet,
} from "../../strategy/full_mesh_state.ts";
import { nodeSpec } from "../node_spec.ts";

const strategy = fullMesh();

function stateOf(self: string, others: readonly string[]): FullMeshState {
  const context = { now: 0, random: () => 0, connected: new Set<string>() };
  const { state } = strategy.init(nodeSpec(self), context);
  let { set } = state;
  for (const other of others) set = set.merge(strategy.init(nodeSpec(other), context).state.set);
  return { ...state, set };
}

function remove(state: FullMeshState, name: string, now: number): FullMeshState {
  return withSet(state, state.set.leave(name).set, [name], now);
}

Deno.test("withSet() notes since when a name is absent, and for which members a connection is worth a word no more", () => {
  const state = { ...stateOf("a", ["b", "c"]), away: new Set(["b", "c"]) };
  const removed = remove(state, "b", 5);
  assertEquals([...removed.absentSince], [["b", 5]]);
  assertEquals([...removed.away], ["c"]);

  const back = withSet(removed, removed.set.add(nodeSpec("b", 2)).set, ["b"], 6);
  assertEquals(back.absentSince.size, 0);
  assertStrictEquals(withSet(back, back.set, ["b"], 7), back);
});

Deno.test("withSet() keeps the time at which a name became absent when more is heard of it", () => {
  const removed = remove(stateOf("a", ["b"]), "b", 5);
  const later = removed.set.add(nodeSpec("b", 2)).set.leave("b").set;
  assertEquals([...withSet(removed, later, ["b"], 9).absentSince], [["b", 5]]);
});

Deno.test("forgetAbsent() forgets a name once it has been absent for long enough, and none before", () => {
  const state = remove(remove(stateOf("a", ["b", "c"]), "b", 10), "c", 20);
  assertStrictEquals(forgetAbsent(state, 100, 109), state);
  const once = forgetAbsent(state, 100, 110);
  assertEquals([once.set.names, [...once.absentSince.keys()]], [["a", "c"], ["c"]]);
  const twice = forgetAbsent(once, 100, 120);
  assertEquals([twice.set.names, twice.absentSince.size], [["a"], 0]);
});

Deno.test("forgetAbsent() forgets the names absent for longest when there are too many", () => {
  let state = stateOf("a", ["b", "c"]);
  const absentSince = new Map(Array.from({ length: ABSENT_NAMES_MAX }, (_, index) => [`x${index}`, 1]));
  state = remove({ ...remove(state, "b", 0), absentSince: new Map([["b", 0], ...absentSince]) }, "c", 2);
  const { set, absentSince: left } = forgetAbsent(state, 1e9, 3);
  assertEquals([set.names, left.size, left.has("c")], [["a", "c"], ABSENT_NAMES_MAX, true]);
});

Deno.test("isMember() is true until this incarnation of the node is removed or over", () => {
  const state = stateOf("a", ["b"]);
  assertEquals(isMember(state), true);
  assertEquals(isMember(remove(state, "a", 0)), false);
  assertEquals(isMember({ ...state, set: state.set.add(nodeSpec("a", 2)).set }), false);
});
