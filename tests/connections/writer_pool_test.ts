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
