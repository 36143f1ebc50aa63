// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { compareMembers } from "../../strategy/compare_members.ts";
import {
  departureOf,
  type Departures,
  DEPARTURES_MAX,
  departuresToList,
  hasDeparted,
  latestDepartures,
  removalOf,
  withDeparture,
} from "../../strategy/departures.ts";
import { find, pick, union, without } from "../../strategy/view.ts";
import { sample } from "../../runtime/sample.ts";
import { nodeSpec } from "../node_spec.ts";
import { forEachSeed } from "../seeded_random.ts";
import { entryOf } from "../values.ts";

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
    for (const item of taken) counts.set(item, entryOf(counts, item) + 1);
  });
  for (const count of counts.values()) assert(count > 160 && count < 240, `${count}`);
  assertEquals(sample([1], 5, () => 0.999), [1]);
  assertEquals(pick([], () => 0.5), undefined);
});

const EMPTY: Departures = new Map();

Deno.test("withDeparture() ends an incarnation and all earlier ones, but no later one", () => {
  const departures = withDeparture(EMPTY, { name: "a", incarnation: 3, isRemoval: false });
  assert(hasDeparted(departures, nodeSpec("a", 2)));
  assert(hasDeparted(departures, nodeSpec("a", 3)));
  assert(!hasDeparted(departures, nodeSpec("a", 4)));
  assert(!hasDeparted(departures, nodeSpec("a", 4, { since: 3 })));
  assertStrictEquals(withDeparture(departures, { name: "a", incarnation: 2, isRemoval: false }), departures);
});

Deno.test("withDeparture() ends what goes on with an incarnation that was removed, as soon as it comes", () => {
  const departures = withDeparture(EMPTY, removalOf(nodeSpec("a", 3)));
  assert(!hasDeparted(departures, nodeSpec("a", 5)));
  assertEquals(departureOf(departures, nodeSpec("a", 5, { since: 2 })), { name: "a", incarnation: 3, isRemoval: true });
  const followed = withDeparture(departures, { name: "a", incarnation: 5, isRemoval: false });
  assertEquals(departureOf(followed, nodeSpec("a", 5)), { name: "a", incarnation: 5, isRemoval: false });
  assertEquals(departuresToList(followed).reduce(withDeparture, EMPTY), followed);
});

Deno.test("withDeparture() forgets the oldest name when there are too many", () => {
  let departures = EMPTY;
  for (let index = 0; index <= DEPARTURES_MAX; index++) {
    departures = withDeparture(departures, removalOf(nodeSpec(`n${index}`)));
  }
  assertEquals(departures.size, DEPARTURES_MAX);
  assert(!hasDeparted(departures, nodeSpec("n0")));
  assertEquals(latestDepartures(departures).at(-1), removalOf(nodeSpec(`n${DEPARTURES_MAX}`)));
});

Deno.test("compareMembers() lets a newer incarnation join, and names those who are not wanted", () => {
  assertEquals(compareMembers([a, b], [a, nodeSpec("b", 2), c]), { joiners: [nodeSpec("b", 2), c], leavers: [] });
  assertEquals(compareMembers([a, b], [b]), { joiners: [], leavers: [a] });
});
