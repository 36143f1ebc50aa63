// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertArrayIncludes, assertEquals, assertThrows } from "@std/assert";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { extensions, fromHex, timestamps, toHex, vectors } from "./message_pack_vectors.ts";
import { present } from "../values.ts";

for (const [type, rows] of Object.entries(vectors)) {
  Deno.test(`decode() reads every published form of ${type}`, () => {
    for (const { value, forms } of rows) {
      for (const form of forms) assertEquals(comparable(decode(fromHex(form))), comparable(value), form);
    }
  });

  Deno.test(`encode() writes a published form of ${type}`, () => {
    for (const { value, forms } of rows) assertArrayIncludes(forms, [toHex(encode(value))]);
  });
}

Deno.test("encode() writes the shortest published form of all but floats and bigints", () => {
  for (const { value, forms } of Object.values(vectors).flat()) {
    if (typeof value !== "bigint" && (typeof value !== "number" || Number.isInteger(value))) {
      assertEquals(toHex(encode(value)), forms[0]);
    }
  }
});

Deno.test("encode() writes numbers beyond 32 bits as a published form of that integer", () => {
  for (const { value, forms } of present(vectors["64-bit integer"])) {
    const float = forms.find((form) => form.startsWith("cb"));
    if (float !== undefined) assertEquals(toHex(encode(Number(value))), float);
  }
});

Deno.test("decode() reads timestamps, rounded down to milliseconds", () => {
  for (const [form, time] of timestamps) assertEquals(decode(fromHex(form)), new Date(time), form);
});

Deno.test("decode() refuses all other extension types", () => {
  for (const form of extensions) assertThrows(() => decode(fromHex(form)), SyntaxError, "extension types");
});

/** Numbers by their value: an integer may travel in a form that is decoded to a bigint. */
function comparable(value: unknown): unknown {
  return typeof value === "bigint" && BigInt(Number(value)) === value ? Number(value) : value;
}
