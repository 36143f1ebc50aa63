// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertGreaterOrEqual, assertStrictEquals } from "@std/assert";
import { ByteWriter } from "../../wire/byte_writer.ts";

Deno.test("ByteWriter writes integers and floats big endian", () => {
  const writer = new ByteWriter();
  writer.u8(0x01);
  writer.u16(0x0203);
  writer.u32(0xf4050607);
  writer.u64(0x08090a0b0c0d0e0fn);
  writer.float64(-2);
  writer.raw(Uint8Array.of(0xfe, 0xff));
  assertEquals(
    [...writer.written()],
    [1, 2, 3, 0xf4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff],
  );
});

Deno.test("ByteWriter writes the low bits of negative numbers", () => {
  const writer = new ByteWriter();
  writer.u8(-1);
  writer.u16(-2);
  writer.u32(-3);
  writer.u64(-4n);
  assertEquals(
    [...writer.written()],
    [0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc],
  );
});

Deno.test("ByteWriter grows from any capacity and keeps what is written", () => {
  for (const capacity of [0, 1, 2, 3, 7, 1024]) {
    const writer = new ByteWriter(capacity);
    const expected: number[] = [];
    for (let value = 0; value < 300; value++) {
      writer.u32(value);
      writer.u8(value);
      writer.u16(value);
      expected.push(0, 0, value >> 8, value & 0xff, value & 0xff, value >> 8, value & 0xff);
    }
    assertEquals([...writer.written()], expected);
  }
});

Deno.test("ByteWriter.reserve() makes room at once, at least doubling", () => {
  const writer = new ByteWriter(16);
  writer.raw(new Uint8Array(10));
  const { bytes } = writer;
  writer.reserve(6);
  assertStrictEquals(writer.bytes, bytes);
  writer.reserve(7);
  assertEquals(writer.bytes.length, 32);
  writer.reserve(1000);
  assertGreaterOrEqual(writer.bytes.length, 1010);
  assertStrictEquals(writer.view.buffer, writer.bytes.buffer);
});

Deno.test("ByteWriter leaves the old buffer as it was when it grows", () => {
  const writer = new ByteWriter(4);
  writer.u32(7);
  const before = writer.written();
  writer.u32(8);
  writer.setU32(0, 9);
  assertEquals([...before], [0, 0, 0, 7]);
  assertEquals([...writer.written()], [0, 0, 0, 9, 0, 0, 0, 8]);
});

Deno.test("ByteWriter takes back what lies after a mark", () => {
  const writer = new ByteWriter();
  writer.u16(0xabcd);
  const mark = writer.length;
  writer.raw(new Uint8Array(2000).fill(1));
  writer.length = mark;
  writer.u8(0xef);
  assertEquals([...writer.written()], [0xab, 0xcd, 0xef]);
});

Deno.test("ByteWriter.setU32() overwrites in place", () => {
  const writer = new ByteWriter();
  writer.raw(Uint8Array.of(1, 2, 3, 4, 5, 6));
  writer.setU32(1, 0xdeadbeef);
  assertEquals([...writer.written()], [1, 0xde, 0xad, 0xbe, 0xef, 6]);
});
