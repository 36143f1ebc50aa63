// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLess, assertStrictEquals, assertThrows } from "@std/assert";
import { EncodeError } from "../../wire/encode_error.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { DEPTH_MAX } from "../../wire/message_pack_depth.ts";
import { encode, encodeInto } from "../../wire/message_pack_encode.ts";
import { toHex } from "./message_pack_vectors.ts";

Deno.test("encode() takes the shortest form on both sides of every integer boundary", () => {
  const sizes: [number, number, number][] = [
    [0, 0x7f, 1],
    [0x80, 0xff, 2],
    [0x100, 0xffff, 3],
    [0x1_0000, 0xffff_ffff, 5],
    [0x1_0000_0000, Number.MAX_SAFE_INTEGER, 9],
    [-0x20, -1, 1],
    [-0x80, -0x21, 2],
    [-0x8000, -0x81, 3],
    [-0x8000_0000, -0x8001, 5],
    [Number.MIN_SAFE_INTEGER, -0x8000_0001, 9],
  ];
  for (const [low, high, size] of sizes) {
    for (const value of [low, low + 1, Math.floor((low + high) / 2), high - 1, high]) {
      if (value < low || value > high) continue;
      const bytes = encode(value);
      assertEquals(bytes.length, size, `${value}`);
      assertStrictEquals(decode(bytes), value);
    }
  }
});

Deno.test("encode() writes what is no 32-bit integer as a float of 64 bits", () => {
  const numbers = [
    0.1,
    -0.1,
    1.5,
    2 ** 53,
    2 ** 64,
    -(2 ** 63),
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    Infinity,
    -Infinity,
  ];
  for (const value of [...numbers, NaN]) {
    const bytes = encode(value);
    assertEquals([bytes.length, bytes[0]], [9, 0xcb]);
    assertStrictEquals(decode(bytes), value);
  }
});

Deno.test("encode() writes negative zero as zero, as @std/msgpack does", () => {
  assertEquals(toHex(encode(-0)), "00");
});

Deno.test("encode() writes every bigint as an integer of 64 bits, signed when it is negative", () => {
  assertEquals(toHex(encode(0n)), "cf-00-00-00-00-00-00-00-00");
  assertEquals(toHex(encode(-1n)), "d3-ff-ff-ff-ff-ff-ff-ff-ff");
  for (const value of [1n, -2n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n)]) {
    assertStrictEquals(decode(encode(value)), value);
  }
  for (const value of [2n ** 64n, -(2n ** 63n) - 1n, 10n ** 40n]) {
    assertThrows(() => encode(value), EncodeError, "bigints of more than 64 bits have no MessagePack form");
  }
});

Deno.test("encode() gives strings the shortest head for their length in bytes", () => {
  // One, two, three and four bytes a character; the last one is two UTF-16 code units.
  for (const character of ["a", "é", "€", "🍺"]) {
    const width = new TextEncoder().encode(character).length;
    for (const edge of [0, 31, 32, 63, 64, 255, 256, 65_535, 65_536]) {
      for (const size of [edge - 4, edge - 1, edge, edge + 1, edge + 4]) {
        if (size < 0) continue;
        const text = character.repeat(Math.floor(size / width)) + "x".repeat(size % width);
        const bytes = encode(text);
        const head = size < 32 ? 1 : size < 0x100 ? 2 : size < 0x1_0000 ? 3 : 5;
        assertEquals(bytes.length, head + size, `${size} bytes of "${character}"`);
        assertEquals(bytes.subarray(head), new TextEncoder().encode(text));
        assertStrictEquals(decode(bytes), text);
      }
    }
  }
});

Deno.test("encode() puts U+FFFD in the place of lone surrogates", () => {
  for (const filling of ["", "x".repeat(31), "x".repeat(100), "é".repeat(40)]) {
    for (const lone of ["\ud83c", "\udf7a", "\udf7a\ud83c"]) {
      const text = `${filling}${lone}${filling}`;
      assertEquals(decode(encode(text)), text.toWellFormed());
    }
  }
});

Deno.test("encode() writes long strings into a buffer that must grow for them", () => {
  for (const text of ["a".repeat(100_000), "é".repeat(100_000), `${"a".repeat(100_000)}€`]) {
    const writer = new ByteWriter(0);
    encodeInto(writer, text);
    assertStrictEquals(decode(writer.written()), text);
    assertLess(writer.bytes.length, 4 * text.length);
  }
});

Deno.test("encodeInto() writes strings whole, however little room there was", () => {
  for (let length = 1; length < 140; length++) {
    for (const text of ["x".repeat(length), "é".repeat(length), `${"x".repeat(length - 1)}🍺`]) {
      const { length: size } = new TextEncoder().encode(text);
      for (const capacity of [0, length, size, size + 1, size + 2, size + 3]) {
        const writer = new ByteWriter(capacity);
        encodeInto(writer, text);
        assertStrictEquals(decode(writer.written()), text);
      }
    }
  }
});

Deno.test("encode() gives bytes, arrays and maps the shortest head for their size", () => {
  for (const [size, head] of [[0, 2], [255, 2], [256, 3], [65_535, 3], [65_536, 5]] as const) {
    const value = new Uint8Array(size).fill(7);
    assertEquals(encode(value).length, head + size);
    assertEquals(decode(encode(value)), value);
  }
  for (const [size, head] of [[0, 1], [15, 1], [16, 3], [65_535, 3], [65_536, 5]] as const) {
    const array = new Array(size).fill(7);
    assertEquals(encode(array).length, head + size);
    assertEquals(decode(encode(array)), array);
    const map = Object.fromEntries(array.map((value, index) => [`${index}`.padStart(6, "k"), value]));
    assertEquals(encode(map).length, head + 8 * size);
    assertEquals(decode(encode(map)), map);
  }
});

Deno.test("encode() takes views and subclasses of Uint8Array for bytes", () => {
  class Bytes extends Uint8Array {}
  assertEquals(toHex(encode(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))), "c4-02-02-03");
  assertEquals(toHex(encode(Bytes.of(5))), "c4-01-05");
});

Deno.test("encode() takes objects without a prototype, and own enumerable properties with string keys only", () => {
  const map = Object.assign(Object.create(null), { a: 1 });
  Object.defineProperty(map, "hidden", { value: 2, enumerable: false });
  map[Symbol("no")] = 3;
  assertEquals(toHex(encode(map)), "81-a1-61-01");
  assertEquals(
    toHex(encode({
      get a() {
        return 1;
      },
    })),
    "81-a1-61-01",
  );
});

Deno.test("encode() leaves out what Object.prototype was extended with", () => {
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  prototype["polluted"] = 1;
  try {
    assertEquals(toHex(encode({ a: 1 })), "81-a1-61-01");
  } finally {
    delete prototype["polluted"];
  }
});

Deno.test("encode() names the culprit and its path", () => {
  class Point {}
  const cases: [unknown, string][] = [
    [() => {}, "Cannot encode the value: functions have no MessagePack form"],
    [{ a: { b: [0, 1, 2, () => {}] } }, 'Cannot encode "a.b[3]": functions have no MessagePack form'],
    [[[Symbol("s")]], 'Cannot encode "[0][0]": symbols have no MessagePack form'],
    [undefined, "Cannot encode the value: undefined has no MessagePack form"],
    [Array(2), 'Cannot encode "[0]": undefined has no MessagePack form'],
    [{ at: new Date(NaN) }, 'Cannot encode "at": invalid dates have no MessagePack form'],
    [{ at: [new Set()] }, 'Cannot encode "at[0]": Set objects have no MessagePack form'],
    [{ a: undefined, b: { c: Symbol() } }, 'Cannot encode "b.c": symbols have no MessagePack form'],
    [{ at: new Map() }, 'Cannot encode "at": Map objects have no MessagePack form'],
    [new Float64Array(1), "Cannot encode the value: Float64Array objects have no MessagePack form"],
    [[new Point()], 'Cannot encode "[0]": Point objects have no MessagePack form'],
    [[Object.create({})], 'Cannot encode "[0]": objects with a prototype of their own have no MessagePack form'],
    [
      [Object.create(Object.create(null))],
      'Cannot encode "[0]": objects with a prototype of their own have no MessagePack form',
    ],
    [{ big: [1n << 64n] }, 'Cannot encode "big[0]": bigints of more than 64 bits have no MessagePack form'],
  ];
  for (const [value, message] of cases) {
    const error = assertThrows(() => encode(value), EncodeError);
    assertEquals(error.message, message);
  }
});

Deno.test("encode() shortens a long path", () => {
  const error = assertThrows(() => encode({ ["k".repeat(1000)]: () => {} }), EncodeError);
  assertLess(error.message.length, 200);
});

Deno.test("encode() encodes up to the greatest depth that decode() takes", () => {
  for (const wrap of [(value: unknown) => [value], (value: unknown) => ({ a: value })]) {
    let value: unknown = 1;
    for (let depth = 0; depth < DEPTH_MAX; depth++) value = wrap(value);
    assertEquals(encode(decode(encode(value))), encode(value));
    assertThrows(() => encode(wrap(value)), EncodeError, `more than ${DEPTH_MAX} levels deep`);
  }
});

Deno.test("encode() refuses a value that contains itself", () => {
  const map: Record<string, unknown> = { first: 1 };
  map["self"] = [map];
  const error = assertThrows(() => encode(map), EncodeError, "it contains itself");
  assert(error.message.startsWith('Cannot encode "self[0].self[0].'));
});

Deno.test("encode() shows a way that goes round and round three times, and no more", () => {
  const round: Record<string, unknown> = { "a name": 1 };
  round["by"] = { way: [0, round] };
  const within = { before: [[round]] };
  const uneven: Record<string, unknown> = {};
  uneven["x"] = [[[uneven]]];
  let deep: unknown = () => {};
  for (let depth = 0; depth < 40; depth++) deep = [{ deep }];
  for (
    const [value, path] of [
      [round, "by.way[1].by.way[1].by.way[1]…"],
      [within, "before[0][0].by.way[1].by.way[1].by.way[1]…"],
      [{ ["k".repeat(99)]: round }, `${"k".repeat(99)}.…`],
      [uneven, "x[0][0][0].x[0][0][0].x[0][0][0]…"],
      [{ last: { is: deep } }, `last.is[0].deep[0].deep[0].deep…`],
      [[[[() => {}]]], "[0][0][0]"],
    ] as const
  ) {
    const error = assertThrows(() => encode(value), EncodeError);
    assert(error.message.startsWith(`Cannot encode "${path}": `), error.message);
  }
});

Deno.test("encode() says where reading a value threw, and keeps what was thrown", () => {
  const thrown = new Error("no such luck");
  const bad = {
    get luck() {
      throw thrown;
    },
  };
  const error = assertThrows(() => encode([{ a: bad }]), EncodeError);
  assertEquals(error.message, 'Cannot encode "[0].a.luck": no such luck');
  assertStrictEquals(error.cause, thrown);
});

Deno.test("encode() leaves out properties that are undefined, as JSON does", () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, n < 5 ? undefined : n]));
  for (const value of [{ a: undefined }, { a: 1, b: undefined, c: [{ d: undefined }] }, many, { [Symbol()]: 1 }]) {
    assertEquals(encode(value), encode(JSON.parse(JSON.stringify(value))));
  }
});

Deno.test("encode() writes a Date in the shortest form of a timestamp, and decode() reads it", () => {
  const cases: [number, string][] = [
    [0, "d6-ff-00-00-00-00"],
    [(2 ** 32 - 1) * 1_000, "d6-ff-ff-ff-ff-ff"],
    [2 ** 32 * 1_000, "d7-ff-00-00-00-01-00-00-00-00"],
    [1, "d7-ff-00-3d-09-00-00-00-00-00"],
    [2 ** 34 * 1_000 - 1, "d7-ff-ee-2e-1f-03-ff-ff-ff-ff"],
    [2 ** 34 * 1_000, "c7-0c-ff-00-00-00-00-00-00-00-04-00-00-00-00"],
    [-1, "c7-0c-ff-3b-8b-87-c0-ff-ff-ff-ff-ff-ff-ff-ff"],
  ];
  for (const [time, form] of cases) {
    assertEquals(toHex(encode(new Date(time))), form, `${time}`);
    assertEquals(decode(encode([{ at: new Date(time) }])), [{ at: new Date(time) }]);
  }
  for (const time of [8.64e15, -8.64e15]) assertEquals(decode(encode(new Date(time))), new Date(time));
});

Deno.test("encode() notices an object that changes while it is read", () => {
  const fickle = {
    reads: 0,
    get a() {
      return this.reads++ % 2 === 0 ? undefined : 1;
    },
  };
  assertThrows(() => encode({ fickle }), EncodeError, 'Cannot encode "fickle": its properties changed');
});

Deno.test("encodeInto() appends, and a failure harms nothing before it", () => {
  const writer = new ByteWriter(1);
  writer.u8(0xff);
  encodeInto(writer, ["a", 1]);
  const mark = writer.length;
  assertThrows(() => encodeInto(writer, ["b".repeat(1000), undefined]), EncodeError);
  writer.length = mark;
  encodeInto(writer, true);
  assertEquals(toHex(writer.written()), "ff-92-a1-61-01-c3");
});

Deno.test("encode() returns bytes of its own, no larger than they need to be", () => {
  const bytes = encode([1, 2, 3]);
  assertEquals(bytes.buffer.byteLength, bytes.length);
});
