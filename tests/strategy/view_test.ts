// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { compareMembers } from "../../strategy/compare_members.ts";
import { DEPARTURES_MAX, hasDeparted, latestDepartures, withDeparture } from "../../strategy/departures.ts";
import { find, pick, sample, union, without } from "../../strategy/view.ts";
import { nodeSpec } from "../node_spec.ts";
import { forEachSeed } from "../seeded_random.ts";

const [a, b, c] = [nodeSpec("a"), nodeSpec("b"), nodeSpec("c")];

Deno.test("find(), without() and union() go by names", () => {
  const view = [a, b];
  assertStrictEquals(find(view, "b"), b);
  assertEquals(without(view, "a"), [b]);
  assertStrictEquals(without(view, "c"), view);
  assertEquals(union(view, [nodeSpec("b", 2), c]), [a, b, c]);
});

Deno.test("pick() and sample() take each item with the same chance, and no item twice", () => {
  const counts = new Map([["a", 0], ["b", 0], ["c", 0]]);
  forEachSeed(300, ({ next }) => {
    const taken = sample(["a", "b", "c"], 2, next);
    assertEquals(new Set(taken).size, 2);
    for (const item of taken) counts.set(item, counts.get(item)! + 1);
  });
  for (const count of counts.values()) assert(count > 160 && count < 240, `${count}`);
  assertEquals(sample([1], 5, () => 0.999), [1]);
  assertEquals(pick([], () => 0.5), undefined);
});

Deno.test("withDeparture() remembers the latest life of each name, and forgets the oldest when there are too many", () => {
  let departures = withDeparture(new Map(), { name: "a", incarnation: 3 });
  assert(hasDeparted(departures, { name: "a", incarnation: 2 }));
  assert(!hasDeparted(departures, { name: "a", incarnation: 4 }));
  assertStrictEquals(withDeparture(departures, { name: "a", incarnation: 2 }), departures);
  for (let index = 0; index < DEPARTURES_MAX; index++) {
    departures = withDeparture(departures, { name: `n${index}`, incarnation: 1 });
  }
  assertEquals(departures.size, DEPARTURES_MAX);
  assert(!hasDeparted(departures, { name: "a", incarnation: 1 }));
  assertEquals(latestDepartures(departures).at(-1), { name: `n${DEPARTURES_MAX - 1}`, incarnation: 1 });
});

Deno.test("compareMembers() lets a newer life join, and names those who are not wanted", () => {
  assertEquals(compareMembers([a, b], [a, nodeSpec("b", 2), c]), { joiners: [nodeSpec("b", 2), c], leavers: [] });
  assertEquals(compareMembers([a, b], [b]), { joiners: [], leavers: [a] });
});
