// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { DECODE_BUDGET, OBJECT_COST } from "../../wire/decode_budget.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";

/** An array of so many elements, each of these bytes. */
function arrayOf(count: number, element: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(5 + count * element.length);
  bytes[0] = 0xdd;
  new DataView(bytes.buffer).setUint32(1, count);
  for (let index = 0; index < count; index++) bytes.set(element, 5 + index * element.length);
  return bytes;
}

Deno.test("decode() refuses more elements than a value may have, whatever they are", () => {
  const heavy = Math.ceil(DECODE_BUDGET / (1 + OBJECT_COST));
  const hostile: [string, Uint8Array][] = [
    ["numbers", arrayOf(DECODE_BUDGET, [0x07])],
    ["empty maps", arrayOf(heavy, [0x80])],
    ["empty arrays", arrayOf(heavy, [0x90])],
    ["empty bytes", arrayOf(heavy, [0xc4, 0])],
    ["dates", arrayOf(heavy, [0xd6, 0xff, 0, 0, 0, 0])],
  ];
  for (const [what, bytes] of hostile) assertThrows(() => decode(bytes), SyntaxError, "more elements", what);
});

Deno.test("decode() begins each value with a whole budget", () => {
  const bytes = arrayOf(DECODE_BUDGET / 2, [0x07]);
  for (let round = 0; round < 3; round++) assertEquals((decode(bytes) as unknown[]).length, DECODE_BUDGET / 2);
});

Deno.test("encode() refuses what decode() would refuse", () => {
  const most = DECODE_BUDGET - OBJECT_COST;
  assertEquals((decode(encode(new Array(most).fill(0))) as unknown[]).length, most);
  assertThrows(() => encode({ list: new Array(most).fill(0) }), Error, 'Cannot encode "list": it has more elements');
});
