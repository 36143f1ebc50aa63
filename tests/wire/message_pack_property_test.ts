// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { decode, Decoder } from "../../wire/message_pack_decode.ts";
import { encode, encodeInto } from "../../wire/message_pack_encode.ts";
import { forEachSeed, type SeededRandom } from "../seeded_random.ts";
import { randomValue } from "./random_value.ts";

Deno.test("decode() gives back what encode() was given", () => {
  forEachSeed(2000, (random) => {
    const value = randomValue(random);
    assertEquals(decode(encode(value)), ordinary(value));
  });
});

Deno.test("encode() writes a decoded value as it was", () => {
  forEachSeed(1000, (random) => {
    const bytes = encode(ordinary(randomValue(random)));
    assertEquals(encode(decode(bytes)), bytes);
  });
});

Deno.test("One ByteWriter and one Decoder serve any number of values", () => {
  const writer = new ByteWriter(0);
  const decoder = new Decoder();
  forEachSeed(500, (random) => {
    const values = Array.from({ length: 1 + random.int(4) }, () => randomValue(random));
    writer.length = random.int(8);
    const marks = [writer.length];
    for (const value of values) {
      encodeInto(writer, value);
      marks.push(writer.length);
    }
    values.forEach((value, index) => {
      assertEquals(decoder.decode(writer.bytes, marks[index], marks[index + 1]), ordinary(value));
    });
  });
});

Deno.test("decode() refuses a value that is cut off at any byte, and one byte too many", () => {
  forEachSeed(300, (random) => {
    const bytes = encode(randomValue(random));
    for (let end = 0; end < bytes.length; end++) assertThrows(() => decode(bytes.subarray(0, end)), SyntaxError);
    assertThrows(() => decode(Uint8Array.of(...bytes, 0)), SyntaxError);
  });
});

Deno.test("decode() takes or refuses mutated bytes, and what it takes can be encoded", () => {
  const decoder = new Decoder();
  forEachSeed(10_000, (random) => {
    const bytes = mutate(random, encode(randomValue(random, 3)));
    const value = valueOf(decoder, bytes);
    if (value === MALFORMED) assertEquals(valueOf(new Decoder(), bytes), MALFORMED);
    else decode(encode(value));
  });
});

Deno.test("decode() takes or refuses random bytes", () => {
  const decoder = new Decoder();
  forEachSeed(2000, (random) => {
    valueOf(decoder, Uint8Array.from({ length: random.int(64) }, () => random.int(256)));
  });
});

const MALFORMED = Symbol("malformed");

/** Decodes; anything but a value or a `SyntaxError` fails the test. */
function valueOf(decoder: Decoder, bytes: Uint8Array): unknown {
  try {
    return decoder.decode(bytes, 0, bytes.length);
  } catch (error) {
    assertInstanceOf(error, SyntaxError);
    return MALFORMED;
  }
}

function mutate(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const mutated = [...bytes];
  for (let left = 1 + random.int(4); left > 0; left--) {
    const at = random.int(mutated.length + 1);
    const byte = random.chance(0.5)
      ? random.int(256)
      : random.pick([0x80, 0x90, 0xc1, 0xc6, 0xc9, 0xdb, 0xdd, 0xdf, 0xff]);
    mutated.splice(at, random.int(3), ...(random.chance(0.7) ? [byte] : []));
  }
  return Uint8Array.from(mutated);
}

/** A copy in which every map has the ordinary prototype, as decoded ones do. */
function ordinary(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordinary);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, ordinary(inner)]));
}
