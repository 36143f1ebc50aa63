// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { RoomPool } from "../../../messaging/streams/room_pool.ts";

const KIB = 1024;

Deno.test("room that was given back is used for the next copy that fits into it", () => {
  const rooms = new RoomPool();
  const first = rooms.copy(new Uint8Array(64 * KIB).fill(1));
  rooms.give(first);
  assertEquals(rooms.bytes, 64 * KIB);
  const second = rooms.copy(new Uint8Array(40 * KIB).fill(2));
  assertEquals([second.buffer === first.buffer, second.length, rooms.bytes], [true, 40 * KIB, 0]);
  assert(second.every((byte) => byte === 2));
  rooms.give(second);
  assertEquals(rooms.copy(new Uint8Array(64 * KIB)).buffer, first.buffer);
});

Deno.test("a pool keeps no more than a mebibyte, and nothing that is small", () => {
  const rooms = new RoomPool();
  rooms.give(new Uint8Array(KIB));
  rooms.give(new Uint8Array(65 * KIB));
  assertEquals(rooms.bytes, 0);
  for (let count = 0; count < 20; count++) rooms.give(new Uint8Array(64 * KIB));
  assertEquals(rooms.bytes, 1024 * KIB);
});
