// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { ReceiveBuffer } from "../../../messaging/streams/receive_buffer.ts";
import { RoomPool } from "../../../messaging/streams/room_pool.ts";
import { SeededRandom } from "../../../testing/seeded_random.ts";
import { present } from "../../values.ts";

/** Bytes of memory that chunks keep. */
function memory(chunks: readonly Uint8Array[]): number {
  return [...new Set(chunks.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function takeAll(buffer: ReceiveBuffer): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let chunk = buffer.take(); chunk !== undefined; chunk = buffer.take()) chunks.push(chunk);
  return chunks;
}

Deno.test("what goes into a buffer comes out in order, however it was cut and taken", () => {
  for (let seed = 0; seed < 5; seed++) {
    const random = new SeededRandom(seed);
    const buffer = new ReceiveBuffer(new RoomPool());
    const put: number[] = [];
    const taken: number[] = [];
    const source = new Uint8Array(64 * 1024);
    for (let i = 0; i < 200; i++) {
      const length = random.next() < 0.8 ? Math.floor(random.next() * 40) : Math.floor(random.next() * 40_000);
      const bytes = source.subarray(0, length).map(() => Math.floor(random.next() * 256));
      put.push(...bytes);
      buffer.put(bytes, null);
      bytes.fill(0);
      if (random.next() < 0.3) taken.push(...buffer.take() ?? []);
      if (random.next() < 0.3) {
        const view = new Uint8Array(Math.floor(random.next() * 30_000));
        taken.push(...view.subarray(0, buffer.takeInto(view)));
      }
      assertEquals(buffer.bytes, put.length - taken.length);
    }
    for (const chunk of takeAll(buffer)) taken.push(...chunk);
    assert(taken.length === put.length && taken.every((byte, index) => byte === put[index]), `seed ${seed}`);
    assertEquals(buffer.take(), undefined);
  }
});

Deno.test("pieces never keep the buffer that they were read into, and large ones take room that was read into memory of the reader", () => {
  const buffer = new ReceiveBuffer(new RoomPool());
  const read = new Uint8Array(256 * 1024);
  buffer.put(read.subarray(0, 64 * 1024), null);
  const [first] = takeAll(buffer);
  assert(present(first).buffer !== read.buffer);

  const rooms = new RoomPool();
  const other = new ReceiveBuffer(rooms);
  const view = new Uint8Array(64 * 1024);
  for (let count = 0; count < 10; count++) {
    other.put(read.subarray(0, 64 * 1024), null);
    assertEquals([rooms.bytes, other.takeInto(view), other.bytes], [0, 64 * 1024, 0]);
    assertEquals(rooms.bytes, 64 * 1024);
  }
});

Deno.test("bytes are taken into memory that is larger or smaller than the pieces, in order", () => {
  const buffer = new ReceiveBuffer(new RoomPool());
  buffer.put(Uint8Array.of(1, 2, 3), null);
  const view = new Uint8Array(2);
  assertEquals([buffer.takeInto(view), [...view], buffer.bytes], [2, [1, 2], 1]);
  buffer.put(Uint8Array.of(4), null);
  const rest = new Uint8Array(5);
  assertEquals([buffer.takeInto(rest), [...rest], buffer.bytes], [2, [3, 4, 0, 0, 0], 0]);
  assertEquals(buffer.takeInto(rest), 0);
});

Deno.test("memory of a buffer is bounded by its bytes, also for a peer that cuts them as badly as it can", () => {
  const read = new Uint8Array(256 * 1024);
  for (const sizes of [[7], [16 * 1024, 1], [16 * 1024 - 1], [1, 16 * 1024 - 1, 8 * 1024 + 1]]) {
    const buffer = new ReceiveBuffer(new RoomPool());
    const bytes = 256 * 1024;
    for (let i = 0; buffer.bytes < bytes; i++) {
      buffer.put(read.subarray(0, sizes[i % sizes.length]), null);
    }
    const chunks = takeAll(buffer);
    assert(memory(chunks) <= 4 * bytes, `${sizes}: ${memory(chunks) / bytes} times as much`);
    assert(chunks.length <= 64, `${sizes}: ${chunks.length} chunks`);
  }
});

Deno.test("a buffer that is dropped holds nothing", () => {
  const buffer = new ReceiveBuffer(new RoomPool());
  buffer.put(new Uint8Array(100), null);
  assertEquals([buffer.clear(), buffer.bytes, buffer.take()], [100, 0, undefined]);
});
