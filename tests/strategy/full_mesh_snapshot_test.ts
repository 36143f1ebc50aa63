// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { fullMesh } from "../../strategy/full_mesh.ts";
import { fullMeshFromSnapshot } from "../../strategy/full_mesh_snapshot.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { nodeSpec } from "../node_spec.ts";
import { seededRandom } from "../seeded_random.ts";
import { type Mesh, settledMesh } from "./mesh.ts";
import { firstOf } from "../values.ts";

const strategy = fullMesh();
const context = { now: 1_000_000, random: () => 0, connected: new Set<string>() };

/** A snapshot as the disk gives it back. */
function snapshotOf(mesh: Mesh, name: string): unknown {
  return decode(encode(mesh.strategy.snapshot(mesh.node(name).state)));
}

Deno.test("fullMesh().init() takes up its former cluster from a snapshot, in a new incarnation and at a new address", () => {
  const mesh = settledMesh(seededRandom(1), 4);
  const specs = Array.from(mesh.nodes.values(), ({ spec }) => spec);
  const self = firstOf(specs);
  const moved = nodeSpec(self.name, 2, { addresses: [] });
  const { state, outgoing } = strategy.init(moved, context, snapshotOf(mesh, self.name));
  assertEquals(strategy.members(state), [moved, ...specs.slice(1)]);
  assertEquals(outgoing, []);
});

Deno.test("fullMesh().init(): a node that restarts from a snapshot tells everyone as they connect", () => {
  const mesh = settledMesh(seededRandom(1), 20);
  const name = firstOf([...mesh.nodes.keys()]);
  const snapshot = snapshotOf(mesh, name);
  mesh.crash(name);
  mesh.start(name, 2, snapshot);
  mesh.deliver();
  for (const { state } of mesh.nodes.values()) assertEquals(state.set.get(name)?.incarnation, 2);
  assertEquals(mesh.agree(), true);
});

Deno.test("fullMesh().init() remembers who was removed", () => {
  const mesh = settledMesh(seededRandom(1), 3);
  const [a, b, c] = [...mesh.nodes.keys()] as [string, string, string];
  const stale = mesh.node(b).state;
  mesh.leave(a, c);
  const { state } = strategy.init(nodeSpec(a, 2), context, snapshotOf(mesh, a));
  assertEquals(state.set.merge(stale.set).has(c), false);
  assertEquals([...state.absentSince], [[c, context.now]]);
});

Deno.test("fullMesh().init() goes on counting how long names have been absent, from the latest removal", () => {
  const mesh = settledMesh(seededRandom(1), 4);
  const [a, b, c, d] = [...mesh.nodes.keys()] as [string, string, string, string];
  mesh.leave(a, d);
  mesh.now = 5_000;
  mesh.leave(a, b);
  mesh.now = 7_000;
  mesh.leave(a, c);
  const { state } = strategy.init(nodeSpec(a, 2), context, snapshotOf(mesh, a));
  assertEquals([...state.absentSince], [[d, context.now - 7_000], [b, context.now - 2_000], [c, context.now]]);
});

Deno.test("fullMesh().init() begins alone when its former incarnation had left or was removed", () => {
  const mesh = settledMesh(seededRandom(1), 3);
  const [a, b, c] = [...mesh.nodes.keys()] as [string, string, string];
  mesh.leave(a, c);
  mesh.leave(b, a);
  mesh.deliver();
  const { state, outgoing } = strategy.init(nodeSpec(a, 2), context, snapshotOf(mesh, a));
  assertEquals([state.set.names, state.away.size, state.absentSince.size, outgoing], [[a], 0, 0, []]);
});

Deno.test("fullMesh().init() stays alone in all incarnations after one that left, though nodes have not heard of that", () => {
  const mesh = settledMesh(seededRandom(1), 2);
  const [a, b] = [...mesh.nodes.keys()] as [string, string];
  mesh.reach = () => false;
  mesh.reconnect();
  mesh.leave(a, a);
  for (const incarnation of [2, 3, 4]) {
    const snapshot = snapshotOf(mesh, a);
    mesh.crash(a);
    mesh.start(a, incarnation, snapshot);
  }
  mesh.reach = () => true;
  mesh.reconnect();
  mesh.deliver();
  assertEquals([mesh.members(a), mesh.members(b)], [[a], [b]]);
});

Deno.test("fullMesh().init(): an incarnation that goes on with one that was removed meanwhile learns it from the node that it meets first", () => {
  const mesh = settledMesh(seededRandom(1), 3);
  const [a, b, c] = [...mesh.nodes.keys()] as [string, string, string];
  const snapshot = snapshotOf(mesh, a);
  mesh.crash(a);
  mesh.leave(b, a);
  // The removal has not reached c yet.
  mesh.reach = (one, other) => one !== b && other !== b;
  mesh.start(a, 2, snapshot, 1);
  mesh.deliver();
  assertEquals([mesh.members(a), mesh.members(c)], [[a, b, c], [a, b, c]]);
  mesh.reach = () => true;
  mesh.reconnect();
  mesh.deliver();
  mesh.tick();
  mesh.deliver();
  assertEquals([mesh.members(a), mesh.members(b), mesh.members(c)], [[b, c], [b, c], [b, c]]);
});

Deno.test("fullMesh().init() refuses to begin in an older incarnation than its snapshot", () => {
  const mesh = settledMesh(seededRandom(1), 2);
  const a = firstOf([...mesh.nodes.keys()]);
  assertThrows(
    () => strategy.init(nodeSpec(a, 0), context, snapshotOf(mesh, a)),
    RangeError,
    "incarnation 1 is known",
  );
});

const refusals: readonly [what: string, snapshot: unknown, message: string][] = [
  ["nothing", null, "expected an array, got null"],
  ["another version", [2, [], []], "version is 2, expected 1"],
  ["no membership", [1], "Invalid membership"],
  ["no ages", [1, []], "Invalid ages"],
  ["a missing age", [1, [["a", 1, 1]], []], "Invalid age"],
  ["an age too many", [1, [], [1], []], "Invalid ages"],
  ["no farewell", [1, [], []], "Invalid membership"],
  ["a negative age", [1, [["a", 1, 1]], [-1]], "Invalid age"],
];

for (const [what, snapshot, message] of refusals) {
  Deno.test(`fullMeshFromSnapshot() refuses ${what} with a TypeError`, () => {
    const full = `Cannot restore a full mesh: ${message.startsWith("version") ? message : ""}`;
    assertThrows(() => fullMeshFromSnapshot(snapshot, 0), TypeError, message);
    assertThrows(() => fullMeshFromSnapshot(snapshot, 0), TypeError, full);
  });
}
