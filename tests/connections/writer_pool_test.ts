// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { WriterPool } from "../../connections/writer_pool.ts";

Deno.test("WriterPool.take() returns the writer that was given back last, empty", () => {
  const pool = new WriterPool();
  const first = pool.take(), second = pool.take();
  second.raw(new Uint8Array(5000));
  pool.give(first);
  pool.give(second);
  assertStrictEquals(pool.take(), second);
  assertEquals(second.length, 0);
  assert(second.bytes.length >= 5000);
  assertStrictEquals(pool.take(), first);
  assert(pool.take() !== first);
});

Deno.test("WriterPool keeps no writer that a huge message made large, and no more than a mebibyte", () => {
  const pool = new WriterPool();
  pool.give(new ByteWriter(256 * 1024 + 1));
  assertLessOrEqual(pool.take().bytes.length, 1024);
  for (let count = 0; count < 100; count++) pool.give(new ByteWriter(64 * 1024));
  let kept = 0;
  while (pool.take().bytes.length === 64 * 1024) kept++;
  assertEquals(kept, 16);
});

Deno.test("WriterPool keeps room for large messages, and gives it to those that need most of it", () => {
  const pool = new WriterPool();
  const room = pool.takeLarge(600_000);
  pool.giveLarge(room);
  assert(pool.takeLarge(100_000) !== room);
  assert(pool.takeLarge(600_001) !== room);
  assertStrictEquals(pool.takeLarge(500_000), room);
  assert(pool.takeLarge(500_000) !== room);
});

Deno.test("WriterPool keeps no room of more than a mebibyte, and no more than four in all", () => {
  const pool = new WriterPool();
  const huge = new Uint8Array(2 ** 20 + 1);
  pool.giveLarge(huge);
  assert(pool.takeLarge(huge.length) !== huge);
  const rooms = Array.from({ length: 10 }, () => new Uint8Array(2 ** 20));
  for (const room of rooms) pool.giveLarge(room);
  assertEquals(rooms.filter((_, index) => pool.takeLarge(2 ** 20) === rooms[3 - index]).length, 4);
});
