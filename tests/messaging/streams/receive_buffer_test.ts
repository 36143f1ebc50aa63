// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { ReceiveBuffer } from "../../../messaging/streams/receive_buffer.ts";
import { SeededRandom } from "../../../testing/seeded_random.ts";
import { present } from "../../values.ts";

class Owner {
  retained = 0;
  retain(): void {
    this.retained++;
  }
}

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
    const buffer = new ReceiveBuffer();
    const put: number[] = [];
    const taken: number[] = [];
    const source = new Uint8Array(64 * 1024);
    for (let i = 0; i < 200; i++) {
      const length = random.next() < 0.8 ? Math.floor(random.next() * 40) : Math.floor(random.next() * 40_000);
      const bytes = source.subarray(0, length).map(() => Math.floor(random.next() * 256));
      put.push(...bytes);
      const owner = random.next() < 0.5 ? new Owner() : undefined;
      buffer.put(bytes, owner);
      if (owner === undefined || owner.retained === 0) bytes.fill(0);
      if (random.next() < 0.3) taken.push(...buffer.take() ?? []);
      assertEquals(buffer.bytes, put.length - taken.length);
    }
    for (const chunk of takeAll(buffer)) taken.push(...chunk);
    assert(taken.length === put.length && taken.every((byte, index) => byte === put[index]), `seed ${seed}`);
    assertEquals(buffer.take(), undefined);
  }
});

Deno.test("large pieces stay where they were read, and small ones never keep the buffer that they were read into", () => {
  const buffer = new ReceiveBuffer();
  const owner = new Owner();
  const read = new Uint8Array(256 * 1024);
  buffer.put(read.subarray(0, 64 * 1024), owner);
  assertEquals([owner.retained, present(buffer.take()).buffer === read.buffer], [1, true]);
  buffer.put(read.subarray(0, 32 * 1024), owner);
  buffer.put(read.subarray(0, 1), owner);
  assertEquals(owner.retained, 1);
  for (const chunk of takeAll(buffer)) assert(chunk.buffer !== read.buffer);
});

Deno.test("memory of a buffer is bounded by its bytes, also for a peer that cuts them as badly as it can", () => {
  const read = new Uint8Array(256 * 1024);
  for (const sizes of [[7], [16 * 1024, 1], [16 * 1024 - 1], [1, 16 * 1024 - 1, 8 * 1024 + 1]]) {
    const buffer = new ReceiveBuffer();
    const bytes = 256 * 1024;
    for (let i = 0; buffer.bytes < bytes; i++) {
      buffer.put(read.subarray(0, sizes[i % sizes.length]), new Owner());
    }
    const chunks = takeAll(buffer);
    assert(memory(chunks) <= 4 * bytes, `${sizes}: ${memory(chunks) / bytes} times as much`);
    assert(chunks.length <= 64, `${sizes}: ${chunks.length} chunks`);
  }
});

Deno.test("a buffer that is dropped holds nothing", () => {
  const buffer = new ReceiveBuffer();
  buffer.put(new Uint8Array(100), undefined);
  assertEquals([buffer.clear(), buffer.bytes, buffer.take()], [100, 0, undefined]);
});
