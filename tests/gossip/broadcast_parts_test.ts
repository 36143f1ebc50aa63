// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertLessOrEqual, assertThrows } from "@std/assert";
import { Announcements } from "../../gossip/announcements.ts";
import { BroadcastCache } from "../../gossip/broadcast_cache.ts";
import { BROADCAST_WINDOW, BroadcastHistory } from "../../gossip/broadcast_history.ts";
import { packIds, unpackIds } from "../../gossip/broadcast_id.ts";
import {
  BROADCAST_IDS_MAX,
  broadcastFromValue,
  type BroadcastMessage,
  broadcastToValue,
} from "../../gossip/broadcast_message.ts";
import { broadcastNeighbours } from "../../gossip/broadcast_neighbours.ts";
import { BroadcastTrees } from "../../gossip/broadcast_trees.ts";
import { MissingBroadcasts } from "../../gossip/missing_broadcasts.ts";
import { forEachSeed } from "../seeded_random.ts";
import { isConnected, namesOf } from "./broadcast_world.ts";
import { entryOf } from "../values.ts";

function id(sequence: number, root = "r", incarnation = 1) {
  return { root, incarnation, sequence };
}

Deno.test("unpackIds() undoes packIds(), whatever the names", () => {
  const ids = [id(3), id(1), id(2), id(2, "r", 2), id(7, "1:r"), id(1, "s")];
  const packed = packIds(ids);
  assertEquals(packed.length, 4);
  const byOrder = (one: unknown, other: unknown) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);
  assertEquals([...unpackIds(packed)].sort(byOrder), ids.sort(byOrder));
});

Deno.test("broadcastFromValue() undoes broadcastToValue()", () => {
  const ids = packIds([id(1), id(2), id(1, "s")]);
  const messages: BroadcastMessage<unknown>[] = [
    { kind: "gossip", id: id(1), age: 5, payload: { x: 1 } },
    { kind: "repair", id: id(1), age: 0, payload: null },
    { kind: "ihave", ids },
    { kind: "graft", ids: [{ root: "r", incarnation: 1, ranges: [] }] },
    { kind: "prune", roots: ["r", "s"] },
    { kind: "summary", ids, isAnswer: false },
    { kind: "summary", ids: [], isAnswer: true },
    { kind: "request", ids },
  ];
  for (const message of messages) assertEquals(broadcastFromValue(structuredClone(broadcastToValue(message))), message);
});

Deno.test("broadcastFromValue() refuses what is malformed", () => {
  const malformed: unknown[] = [
    null,
    {},
    [],
    [99],
    ["1"],
    [0, "", 1, 1, 0, null],
    [0, "r", -1, 1, 0, null],
    [0, "r", 1, 0, 0, null],
    [0, "r", 1, 1, -1, null],
    [0, "r", 1, 1, 0.5, null],
    [3],
    [1, "r", 1],
    [1, "r", 1, [2, 1]],
    [1, "r", 1, [1, BROADCAST_IDS_MAX], "s", 1, [1, 1]],
    [2, 7, 1, [1, 1]],
  ];
  for (const value of malformed) {
    assertThrows(() => broadcastFromValue(value), TypeError, "Cannot read a broadcast", JSON.stringify(value));
  }
});

Deno.test("BroadcastHistory tells what is new in a window behind the newest broadcast", () => {
  const history = new BroadcastHistory(10);
  assert(history.add(id(5)));
  assertFalse(history.add(id(5)));
  assert(history.add(id(2)));
  assert(history.add(id(BROADCAST_WINDOW + 3)));
  assertFalse(history.add(id(2)));
  assert(history.add(id(4)));
  assert(history.add(id(10 * BROADCAST_WINDOW)));
  assert(history.add(id(9 * BROADCAST_WINDOW + 1)));
  assertFalse(history.add(id(9 * BROADCAST_WINDOW + 1)));
});

Deno.test("BroadcastHistory loses nothing to numbers, incarnations and roots that were made up", () => {
  const history = new BroadcastHistory(4, (root) => root.startsWith("member") ? 7 : undefined);
  for (const member of ["member 1", "member 2"]) assert(history.add(id(1, member, 7)));
  assert(history.add(id(Number.MAX_SAFE_INTEGER, "member 1", 7)));
  for (let madeUp = 8; madeUp < 30; madeUp++) assert(history.add(id(1, "member 1", madeUp)));
  for (let madeUp = 0; madeUp < 30; madeUp++) assert(history.add(id(1, `made up ${madeUp}`)));
  for (const member of ["member 1", "member 2"]) {
    assertFalse(history.add(id(1, member, 7)), member);
    for (let sequence = 2; sequence <= 100; sequence++) assert(history.add(id(sequence, member, 7)));
  }
  assertEquals(history.size, 4);
});

Deno.test("BroadcastHistory tells what comes under one number apart by what it carries, as long as it remembers that", () => {
  const history = new BroadcastHistory(10_000);
  assertEquals([7, 8, 7, 9, 8].map((digest) => history.add(id(1), digest)), [true, true, false, true, false]);
  for (let sequence = 2; sequence <= 8_192; sequence++) assert(history.add(id(sequence), 7));
  assertEquals([history.add(id(1), 10), history.add(id(8_192), 7), history.add(id(8_192), 8)], [false, false, true]);
});

Deno.test("BroadcastHistory takes what a root broadcast in an earlier incarnation for seen, once its present one is known", () => {
  const incarnations = new Map<string, number>();
  const history = new BroadcastHistory(4, (root) => incarnations.get(root));
  assert(history.add(id(1, "r", 3)));
  incarnations.set("r", 5);
  assertFalse(history.add(id(2, "r", 3)));
  assert(history.add(id(2, "r", 5)));
});

Deno.test("BroadcastHistory forgets the root that was silent for longest", () => {
  const history = new BroadcastHistory(2);
  history.add(id(1, "r"));
  history.add(id(1, "s"));
  history.add(id(2, "r"));
  history.add(id(1, "t"));
  assertEquals([history.size, history.has(id(1, "r")), history.has(id(1, "s"))], [2, true, false]);
});

Deno.test("BroadcastCache drops the oldest when there are too many, too many bytes, or when they are too old", () => {
  const cache = new BroadcastCache<string>({ cacheMessages: 3, cacheBytes: 100, cacheAge: 1_000 });
  const add = (sequence: number, bytes: number, bornAt: number, now = bornAt) =>
    cache.add({ id: id(sequence), payload: "x", bytes, bornAt, isRepaired: false }, now);
  const kept = () => cache.ids().map(({ sequence }) => sequence);
  for (const sequence of [1, 2, 3, 4]) add(sequence, 10, sequence);
  assertEquals([kept(), cache.bytes], [[2, 3, 4], 30]);
  add(5, 85, 5);
  assertEquals([kept(), cache.bytes], [[4, 5], 95]);
  add(6, 101, 6);
  add(7, 1, 6, 2_000);
  assertEquals(kept(), [4, 5], "neither what is too large nor what is too old already");
  cache.expire(1_004);
  assertEquals([kept(), cache.bytes, cache.get(id(4))], [[5], 85, []]);
});

Deno.test("BroadcastCache keeps all that came under one id, and drops it together", () => {
  const cache = new BroadcastCache<string>({ cacheMessages: 3, cacheBytes: 100, cacheAge: 1_000 });
  for (const payload of ["x", "y"]) {
    cache.add({ id: id(1), payload, bytes: 10, bornAt: 0, isRepaired: payload === "y" }, 0);
  }
  cache.add({ id: id(2), payload: "z", bytes: 10, bornAt: 0, isRepaired: false }, 0);
  assertEquals([cache.ids(), cache.size, cache.bytes], [[id(1), id(2)], 3, 30]);
  assertEquals(cache.get(id(1)).map(({ payload }) => payload), ["x", "y"]);
  assertEquals([cache.confirm(id(1)), cache.confirm(id(1))], [true, false]);
  cache.add({ id: id(3), payload: "z", bytes: 10, bornAt: 0, isRepaired: false }, 0);
  assertEquals([cache.ids(), cache.size, cache.bytes], [[id(2), id(3)], 2, 20]);
});

Deno.test("MissingBroadcasts asks the announcers one by one, those that are asked already first", () => {
  const missing = new MissingBroadcasts(100, 10);
  missing.add(id(1), "b", 0);
  missing.add(id(1), "b", 0);
  missing.add(id(2), "c", 10);
  missing.add(id(2), "b", 10);
  const due = (now: number, gone = "") =>
    [...missing.due(now, (name) => name !== gone)].map(([name, ids]) => [name, ids.map(({ sequence }) => sequence)]);
  assertEquals(missing.nextAt, 100);
  assertEquals(due(99), []);
  assertEquals(due(110), [["b", [1, 2]]]);
  assertEquals(missing.nextAt, 210);
  assertEquals(due(210), [["c", [2]]]);
  assertEquals(missing.size, 1);
  assertEquals(due(310), []);
  assertEquals([missing.size, missing.nextAt], [0, Infinity]);
  missing.add(id(3), "b", 400);
  assertEquals(due(500, "b"), []);
});

Deno.test("MissingBroadcasts gives up the oldest of too many, and remembers a few announcers of each", () => {
  const missing = new MissingBroadcasts(100, 3);
  for (const sequence of [1, 2, 3, 4]) missing.add(id(sequence), "b", 0);
  assertEquals([missing.size, missing.delete(id(1)), missing.delete(id(4))], [3, false, true]);
  for (let count = 0; count < 50; count++) missing.add(id(9), `n${count}`, 0);
  missing.delete(id(3));
  let asked = 0;
  for (let now = 100; missing.size > 0; now += 100) asked += missing.due(now, () => true).has(`n${asked}`) ? 1 : 0;
  assertEquals(asked, 8);
});

Deno.test("Announcements keeps a bounded number per neighbour until the lazy tick", () => {
  const announcements = new Announcements(1_000, 3);
  for (let sequence = 1; sequence <= 5; sequence++) announcements.add("b", id(sequence), 500 + sequence);
  announcements.add("c", id(1), 300);
  assertEquals(announcements.nextAt, 1_300);
  assertEquals(announcements.take(1_299), []);
  assertEquals(announcements.take(1_300), [["b", [id(1), id(2), id(3)]], ["c", [id(1)]]]);
  assertEquals([announcements.take(9_999), announcements.nextAt], [[], Infinity]);
});

Deno.test("BroadcastTrees remembers a bounded number of roots, and a graft for one that was not heard yet", () => {
  const trees = new BroadcastTrees("a", 2);
  for (const name of ["b", "c"]) trees.add(name);
  trees.touch("r", 0);
  trees.prune("r", "b", 0);
  trees.graft("s", "b", 0);
  assertEquals([trees.eager("s"), trees.eager("t")], [["b", "c"], ["c"]]);
  trees.touch("s", 0);
  trees.touch("t", 0);
  assertEquals([trees.size, trees.eager("t")], [2, ["b", "c"]]);
});

Deno.test("broadcastNeighbours() gives few links that fit together and connect a full mesh within log₂ N steps", () => {
  forEachSeed(30, (random) => {
    const names = namesOf(2 + random.int(300));
    const graph = new Map(names.map((name) => [name, new Set(broadcastNeighbours(name, random.shuffle(names)))]));
    const steps = Math.ceil(Math.log2(names.length));
    for (const [name, neighbours] of graph) {
      assertLessOrEqual(neighbours.size, Math.max(6, 2 * steps));
      assertFalse(neighbours.has(name));
      for (const neighbour of neighbours) assert(entryOf(graph, neighbour).has(name), "a link has two ends");
    }
    assert(isConnected(graph));
    let reached = new Set(names.slice(0, 1));
    for (let step = 0; step < steps; step++) {
      reached = new Set([...reached].flatMap((name) => [name, ...entryOf(graph, name)]));
    }
    assertEquals(reached.size, names.length);
  });
});

Deno.test("broadcastNeighbours() changes little when one node comes or goes", () => {
  const names = namesOf(100);
  let changed = 0;
  for (const name of names.slice(1)) {
    const before = new Set(broadcastNeighbours(name, names));
    for (const neighbour of broadcastNeighbours(name, names.slice(1))) if (!before.has(neighbour)) changed++;
  }
  // A link of distance d moves for d nodes on either side of the one that went.
  assertLessOrEqual(changed / names.length, 4);
});
