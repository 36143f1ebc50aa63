// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { mapValues } from "../../runtime/map_values.ts";

Deno.test("mapValues() keeps every key and its order, also one that would change the prototype", () => {
  const record: Record<string, number> = JSON.parse('{"b":1,"__proto__":2,"toString":3,"a":4}');
  const changed = mapValues(record, (value, key) => `${key} ${value}`);
  assertEquals(Object.entries(changed), [["b", "b 1"], ["__proto__", "__proto__ 2"], ["toString", "toString 3"], [
    "a",
    "a 4",
  ]]);
  assertStrictEquals(Object.getPrototypeOf(changed), Object.prototype);
});

Deno.test("mapValues() leaves the record as it was, also one that is frozen or has no prototype", () => {
  const record: Readonly<Record<string, number>> = Object.freeze(Object.assign(Object.create(null), { a: 1 }));
  assertEquals({ ...mapValues(record, (value) => value + 1), before: record["a"] }, { a: 2, before: 1 });
});
