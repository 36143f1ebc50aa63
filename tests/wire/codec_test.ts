// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import * as msgpack from "@std/msgpack";
import { EncodeError } from "../../wire/encode_error.ts";
import { type Codec, messagePack } from "../../wire/codec.ts";
import { forEachSeed } from "../seeded_random.ts";
import { extensions, fromHex, vectors } from "./message_pack_vectors.ts";
import { randomValue } from "./random_value.ts";

const oracle: Codec = msgpack;
/** Our stand-in is no oracle. It lies in a folder of this repository; the real one does not. */
const ignore = import.meta.resolve("@std/msgpack").startsWith(import.meta.resolve("../offline"));

Deno.test("messagePack encodes and decodes", () => {
  const value = { name: "counter", body: [1, null, Uint8Array.of(7)] };
  assertEquals(messagePack.decode(messagePack.encode(value)), value);
});

Deno.test("Codec takes @std/msgpack as it is", () => {
  const codec: Codec = msgpack;
  const value = { name: "counter", body: [1, null, Uint8Array.of(7)] };
  assertEquals(messagePack.decode(codec.encode(value)), value);
  assertEquals(codec.decode(messagePack.encode(value)), value);
});

Deno.test({ name: "messagePack writes byte for byte what @std/msgpack writes", ignore }, () => {
  for (const { value } of Object.values(vectors).flat()) assertEquals(messagePack.encode(value), oracle.encode(value));
  forEachSeed(2000, (random) => {
    const value = randomValue(random);
    assertEquals(messagePack.encode(value), oracle.encode(value));
  });
  for (const text of ["\ud83c", "a\udf7a", "\ufeff", "\0", "é".repeat(40_000), "x".repeat(70_000)]) {
    assertEquals(messagePack.encode(text), oracle.encode(text));
  }
  assertEquals(messagePack.encode(-0), oracle.encode(-0));
});

Deno.test({ name: "messagePack reads what @std/msgpack reads, and keeps byte order marks besides", ignore }, () => {
  for (const form of Object.values(vectors).flat().flatMap(({ forms }) => forms)) {
    assertEquals(messagePack.decode(fromHex(form)), oracle.decode(fromHex(form)), form);
  }
  forEachSeed(2000, (random) => {
    const bytes = oracle.encode(randomValue(random));
    assertEquals(withoutMarks(messagePack.decode(bytes)), oracle.decode(bytes));
  });
  for (const form of ["a3-61-ff-62", "83-01-a1-61-ff-a1-62-cb-3f-f8-00-00-00-00-00-00-a1-63", "82-a1-61-01-a1-61-02"]) {
    assertEquals(messagePack.decode(fromHex(form)), oracle.decode(fromHex(form)), form);
  }
});

Deno.test({ name: "messagePack refuses what @std/msgpack refuses", ignore }, () => {
  class Point {}
  const values = [
    undefined,
    () => {},
    Symbol(),
    [undefined],
    Array(1),
    new Map(),
    new Set(),
  ];
  for (const value of [...values, new Point(), new Float32Array(1), new ArrayBuffer(1), 1n << 64n, -1n << 64n]) {
    assertThrows(() => oracle.encode(value));
    assertThrows(() => messagePack.encode(value), EncodeError);
  }
  for (const form of [...extensions, "c1", "81-c0-01", "81-cf-00-00-00-00-00-00-00-01-01", "01-01", "92-01", "a2-61"]) {
    assertThrows(() => oracle.decode(fromHex(form)));
    assertThrows(() => messagePack.decode(fromHex(form)), SyntaxError);
  }
});

/** Makes of a value what `@std/msgpack` does: it drops a byte order mark at the start of a string. */
function withoutMarks(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/^\ufeff/, "");
  if (Array.isArray(value)) return value.map(withoutMarks);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map((entry) => entry.map(withoutMarks)));
}
