// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { entryOf, firstOf, groupOf, lastOf, nthOf, onlyOf, present, takeOf } from "./values.ts";

Deno.test("the helpers for values give what is there, and say what is missing", () => {
  assertEquals([firstOf("ab"), lastOf([1, 2]), nthOf([1, 2], 1), onlyOf([0])], ["a", 2, 2, 0]);
  assertEquals([entryOf(new Map([["a", 1]]), "a"), present(0), present("")], [1, 0, ""]);
  const [one, two]: readonly [number, number] = takeOf([1, 2, 3], 2);
  assertEquals([one, two], [1, 2]);
  assertThrows(() => takeOf([1], 2), TypeError, "Expected element 1 of 1, got undefined");
  assertThrows(() => firstOf([]), TypeError, "Expected element 0 of 0, got undefined");
  assertThrows(() => nthOf([null], 0), TypeError, "Expected element 0 of 1, got null");
  assertThrows(() => onlyOf([1, 2]), TypeError, "Expected one element, got 2");
  assertEquals(groupOf("it is at :80", /:(\d+)$/), "80");
  assertThrows(() => groupOf("it", /:(\d+)$/), TypeError, "Expected a match of");
  assertThrows(() => groupOf("it", /it/), TypeError, "Expected a group of /it/, got undefined");
  assertThrows(() => entryOf(new Map<string, number>(), "a"), TypeError, "Expected an entry for a, got undefined");
});
