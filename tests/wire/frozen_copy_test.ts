// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { frozenCopy } from "../../wire/frozen_copy.ts";
import { firstOf } from "../values.ts";

Deno.test("frozenCopy() copies all that a message can hold, and shares nothing", () => {
  const value = {
    list: [1, "two", null, undefined, [3n]],
    bytes: new Uint8Array([1, 2]),
    at: new Date(5),
    ...Object.fromEntries([["__proto__", { zone: "a" }]]),
  };
  const copy = frozenCopy(value);
  assertEquals(copy, value);
  assertEquals(Object.keys(copy), ["list", "bytes", "at", "__proto__"]);
  value.bytes[0] = 9;
  value.at.setTime(6);
  value.list.push(4);
  assertEquals([copy.bytes[0], copy.at.getTime(), copy.list.length], [1, 5, 5]);
});

Deno.test("frozenCopy() cannot be changed at any depth", () => {
  const copy = frozenCopy({ list: [{ a: 1 }] });
  assertThrows(() => copy.list.push({ a: 2 }), TypeError);
  assertThrows(() => firstOf(copy.list).a = 2, TypeError);
  assert(Object.isFrozen(copy));
});
