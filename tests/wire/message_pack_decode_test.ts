// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertLess, assertStrictEquals, assertThrows } from "@std/assert";
import { decode, Decoder } from "../../wire/message_pack_decode.ts";
import { DEPTH_MAX } from "../../wire/message_pack_depth.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { fromHex } from "./message_pack_vectors.ts";

Deno.test("decode() tells -1 from 255 in every integer form", () => {
  const cases: [string, number | bigint][] = [
    ["ff", -1],
    ["d0-ff", -1],
    ["cc-ff", 255],
    ["d1-ff-ff", -1],
    ["cd-ff-ff", 65_535],
    ["d2-ff-ff-ff-ff", -1],
    ["ce-ff-ff-ff-ff", 4_294_967_295],
    ["d3-ff-ff-ff-ff-ff-ff-ff-ff", -1n],
    ["cf-ff-ff-ff-ff-ff-ff-ff-ff", 2n ** 64n - 1n],
  ];
  for (const [form, value] of cases) assertStrictEquals(decode(fromHex(form)), value, form);
});

Deno.test("decode() reads floats of both sizes", () => {
  assertStrictEquals(decode(fromHex("ca-7f-80-00-00")), Infinity);
  assertStrictEquals(decode(fromHex("ca-80-00-00-00")), -0);
  assertStrictEquals(decode(fromHex("cb-80-00-00-00-00-00-00-00")), -0);
  assertStrictEquals(decode(fromHex("cb-7f-f8-00-00-00-00-00-00")), NaN);
});

Deno.test("decode() keeps a byte order mark and replaces what is not UTF-8", () => {
  assertEquals(decode(fromHex("a4-ef-bb-bf-61")), "\ufeffa");
  assertEquals(decode(fromHex("a3-61-ff-62")), "a\ufffdb");
  assertEquals(decode(encode("\ufeff".repeat(50))), "\ufeff".repeat(50));
});

Deno.test("decode() takes numbers for map keys and refuses all others", () => {
  assertEquals(decode(fromHex("83-01-a1-61-ff-a1-62-cb-3f-f8-00-00-00-00-00-00-a1-63")), {
    "1": "a",
    "-1": "b",
    "1.5": "c",
  });
  for (const key of ["c0", "c3", "c4-01-61", "90", "80", "cf-00-00-00-00-00-00-00-01"]) {
    assertThrows(() => decode(fromHex(`81-${key}-01`)), SyntaxError, "a map key must be a string or a number");
  }
});

Deno.test("decode() keeps the last of equal map keys", () => {
  assertEquals(decode(fromHex("82-a1-61-01-a1-61-02")), { a: 2 });
});

Deno.test("decode() makes own properties of the names that objects inherit", () => {
  const names = ["__proto__", "constructor", "hasOwnProperty", "toString"];
  const bytes = Uint8Array.from([0x84, ...names.flatMap((name) => [...encode(name), ...encode({ admin: true })])]);
  const map = withProtoAccessor(() => decode(bytes)) as Record<string, unknown>;
  assertStrictEquals(Object.getPrototypeOf(map), Object.prototype);
  assertEquals(Object.keys(map), names);
  assertEquals(Object.values(map), names.map(() => ({ admin: true })));
  assertEquals(map["admin"], undefined);
  assertEquals(encode(map), bytes);
});

Deno.test("decode() makes own properties of __proto__ under a long head too", () => {
  const key = new TextEncoder().encode("__proto__");
  const map = withProtoAccessor(() => decode(Uint8Array.from([0x81, 0xd9, key.length, ...key, 0x80]))) as object;
  assertStrictEquals(Object.getPrototypeOf(map), Object.prototype);
  assert(Object.hasOwn(map, "__proto__"));
});

/** Calls `fn` while objects have the accessor that other runtimes have, and Deno with `--unstable-unsafe-proto`. */
function withProtoAccessor<T>(fn: () => T): T {
  Object.defineProperty(Object.prototype, "__proto__", {
    configurable: true,
    set(prototype: object) {
      Object.setPrototypeOf(this, prototype);
    },
  });
  try {
    return fn();
  } finally {
    Reflect.deleteProperty(Object.prototype, "__proto__");
  }
}

Deno.test("decode() returns binary data as views of the input", () => {
  const bytes = encode({ a: Uint8Array.of(1, 2, 3) });
  const { a } = decode(bytes) as { a: Uint8Array };
  assertStrictEquals(a.buffer, bytes.buffer);
  bytes[bytes.length - 1] = 9;
  assertEquals([...a], [1, 2, 9]);
});

Deno.test("Decoder.viewsTaken says whether a view was handed out since it was reset", () => {
  const decoder = new Decoder();
  decoder.decode(encode(["text", 1, 2n ** 40n]));
  assertFalse(decoder.viewsTaken);
  decoder.decode(encode([[{ a: new Uint8Array(1) }]]));
  decoder.decode(encode(1));
  assert(decoder.viewsTaken);
  decoder.viewsTaken = false;
  decoder.decode(encode("text"));
  assertFalse(decoder.viewsTaken);
});

Deno.test("Decoder.decode() stays within its range", () => {
  const inner = encode({ key: ["text", 1.5] });
  const outer = new Uint8Array(inner.length + 20).fill(0xa1);
  outer.set(inner, 7);
  const view = outer.subarray(3);
  const decoder = new Decoder();
  assertEquals(decoder.decode(view, 4, 4 + inner.length), { key: ["text", 1.5] });
  for (let end = 4; end < 4 + inner.length; end++) {
    assertThrows(() => decoder.decode(view, 4, end), SyntaxError, "more bytes are expected");
  }
  assertThrows(() => decoder.decode(view, 4, 5 + inner.length), SyntaxError, "but 1 more bytes follow");
});

Deno.test("Decoder.decode() refuses a range that is not one of the bytes", () => {
  for (const [start, end] of [[0, 5], [-1, 2], [3, 2], [0, NaN], [NaN, 1]] as const) {
    assertThrows(() => new Decoder().decode(new Uint8Array(4), start, end), RangeError, "Cannot decode bytes");
  }
});

Deno.test("Decoder.decode() goes on after a failure", () => {
  const decoder = new Decoder();
  assertThrows(() => decoder.decode(fromHex("92-01")), SyntaxError);
  assertEquals(decoder.decode(fromHex("92-01-02")), [1, 2]);
});

Deno.test("decode() says where it failed and why", () => {
  const cases: [string, string][] = [
    ["c1", "Cannot decode MessagePack at byte 1: 0xc1 is never used"],
    ["92-01-c7-01-05-00", "Cannot decode MessagePack at byte 5: extension types but the timestamp are not supported"],
    ["92-01-d4-05-00", "Cannot decode MessagePack at byte 3: extension types but the timestamp are not supported"],
    ["c7-05-ff-00-00-00-00-00", "Cannot decode MessagePack at byte 8: it is a timestamp that no Date can hold"],
    ["d7-ff-ff-ff-ff-ff-ff-ff-ff-ff", "Cannot decode MessagePack at byte 10: it is a timestamp that no Date can hold"],
    ["d6-ff-00", "Cannot decode MessagePack at byte 2: 4 more bytes are expected, 1 are left"],
    ["a5-61-62", "Cannot decode MessagePack at byte 1: 5 more bytes are expected, 2 are left"],
    ["dc-00-03-01-02", "Cannot decode MessagePack at byte 3: 3 more bytes are expected, 2 are left"],
    ["df-00-00-00-02-a0-01", "Cannot decode MessagePack at byte 5: 4 more bytes are expected, 2 are left"],
    ["01-02-03", "Cannot decode MessagePack at byte 1: the value ends here, but 2 more bytes follow"],
  ];
  for (const [form, message] of cases) {
    assertEquals(assertThrows(() => decode(fromHex(form)), SyntaxError).message, message);
  }
  assertEquals(
    assertThrows(() => decode(new Uint8Array()), SyntaxError).message,
    "Cannot decode MessagePack at byte 0: 1 more bytes are expected, 0 are left",
  );
});

Deno.test("decode() refuses what is nested too deep", () => {
  for (const [opening, innermost] of [[[0x91], 0x90], [[0x81, 0xa0], 0x80]] as const) {
    const levels = (count: number) => Uint8Array.from([...Array(count - 1).fill(opening).flat(), innermost]);
    decode(levels(DEPTH_MAX));
    assertThrows(() => decode(levels(DEPTH_MAX + 1)), SyntaxError, `more than ${DEPTH_MAX} levels deep`);
    assertThrows(() => decode(levels(100_000)), SyntaxError, `more than ${DEPTH_MAX} levels deep`);
  }
});

Deno.test("decode() allocates nothing for lengths and counts beyond the input", () => {
  const claims = ["c6", "db", "dd", "df"].map((head) => fromHex(`${head}-ff-ff-ff-ff-00-00-00`));
  const before = Deno.memoryUsage();
  for (const claim of claims) assertThrows(() => decode(claim), SyntaxError, "more bytes are expected, 3 are left");
  const after = Deno.memoryUsage();
  assertLess(after.heapUsed + after.external - before.heapUsed - before.external, 16 * 2 ** 20);
});

Deno.test("decode() allocates little for nested counts that the input might just hold", () => {
  // Each array claims one element for every byte that follows; the next of them is its first element.
  const size = 8 * 2 ** 20;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < 5 * (DEPTH_MAX + 1); at += 5) {
    bytes[at] = 0xdd;
    view.setUint32(at + 1, size - at - 5);
  }
  const before = Deno.memoryUsage().heapUsed;
  assertThrows(() => decode(bytes), SyntaxError);
  assertLess(Deno.memoryUsage().heapUsed - before, 32 * 2 ** 20);
});
