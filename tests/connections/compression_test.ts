// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  compressBatch,
  COMPRESSION_MIN_BYTES,
  decompressBatch,
  INFLATED_MAX_BYTES,
} from "../../connections/compression.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { FRAME_HEADER_BYTES, ProtocolError } from "../../wire/frame_reader.ts";
import { bareRuntime } from "./bare_runtime.ts";
import { concat, frame, pattern } from "./fake_stream.ts";

const LIMIT = 2 ** 20;
const runtime = bareRuntime();

/** Frames that deflate well. */
function batchOf(bytes: number): Uint8Array<ArrayBuffer> {
  return frame(FrameKind.message, new Uint8Array(bytes - FRAME_HEADER_BYTES).map((_, index) => index % 7));
}

async function bodyOf(batch: Uint8Array): Promise<Uint8Array> {
  const packed = await compressBatch(runtime, batch, LIMIT);
  assertEquals(packed[4], FrameKind.compressed);
  assertEquals(new DataView(packed.buffer, packed.byteOffset).getUint32(0), packed.length - 4);
  return packed.subarray(FRAME_HEADER_BYTES);
}

/** Deflated bytes behind a length that need not be true. */
async function deflated(bytes: Uint8Array<ArrayBuffer>, length: number): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, length);
  return concat(head, new Uint8Array(await new Response(stream).arrayBuffer()));
}

Deno.test("decompressBatch() gives back what compressBatch() took, in a frame that is smaller", async () => {
  for (const size of [COMPRESSION_MIN_BYTES, 5000, 70_000, LIMIT]) {
    const batch = batchOf(size);
    const body = await bodyOf(batch);
    assertLess(body.length, size / 4);
    assertEquals(await decompressBatch(runtime, body, LIMIT), batch);
  }
});

Deno.test("compressBatch() leaves a batch alone that is small, does not shrink, or is larger than the limit", async () => {
  const random = new Uint8Array(5000);
  crypto.getRandomValues(random);
  for (const batch of [batchOf(COMPRESSION_MIN_BYTES - 1), random, batchOf(LIMIT + 1)]) {
    assertStrictEquals(await compressBatch(runtime, batch, LIMIT), batch);
  }
});

Deno.test("decompressBatch() takes a batch of exactly the limit, and refuses one byte more", async () => {
  const body = await bodyOf(batchOf(5000));
  assertEquals((await decompressBatch(runtime, body, 5000)).length, 5000);
  const message = "Cannot inflate a batch: it has 5000 bytes, the limit is 4999";
  await assertRejects(() => decompressBatch(runtime, body, 4999), ProtocolError, message);
});

Deno.test("decompressBatch() refuses a length that so few bytes cannot inflate to, before it makes room", async () => {
  const body = await deflated(pattern(10), INFLATED_MAX_BYTES);
  const before = Deno.memoryUsage().external;
  await assertRejects(() => decompressBatch(runtime, body, INFLATED_MAX_BYTES), ProtocolError, "malformed");
  assertLess(Deno.memoryUsage().external - before, INFLATED_MAX_BYTES);
});

Deno.test("decompressBatch() refuses bytes that inflate to more or less than they say", async () => {
  for (const length of [0, 4999, 5001]) {
    const body = await deflated(batchOf(5000), length);
    await assertRejects(() => decompressBatch(runtime, body, LIMIT), ProtocolError, "malformed");
  }
});

Deno.test("decompressBatch() gives up a bomb early", async () => {
  const bomb = await deflated(new Uint8Array(2 ** 26), 5000);
  let inflated = 0;
  const real = globalThis.DecompressionStream;
  const Counting = class {
    readonly writable: WritableStream;
    readonly readable: ReadableStream;
    constructor(format: CompressionFormat) {
      const stream = new real(format);
      this.writable = stream.writable;
      this.readable = stream.readable.pipeThrough(
        new TransformStream({
          transform(chunk, controller) {
            inflated += chunk.length;
            controller.enqueue(chunk);
          },
        }),
      );
    }
  };
  try {
    globalThis.DecompressionStream = Counting;
    await assertRejects(() => decompressBatch(runtime, bomb, LIMIT), ProtocolError, "malformed");
  } finally {
    globalThis.DecompressionStream = real;
  }
  assert(inflated > 0);
  assertLess(inflated, 16 * 2 ** 20);
});

Deno.test("decompressBatch() refuses what has something behind it, or is garbage", async () => {
  const body = await bodyOf(batchOf(COMPRESSION_MIN_BYTES));
  for (const bytes of [concat(body, pattern(3)), concat(body.subarray(0, 4), new Uint8Array(50).fill(0xff))]) {
    await assertRejects(() => decompressBatch(runtime, bytes, LIMIT), ProtocolError, "malformed");
  }
});

Deno.test("decompressBatch() gives all of a batch that was cut off somewhere, or refuses it", async () => {
  const batch = batchOf(COMPRESSION_MIN_BYTES);
  const body = await bodyOf(batch);
  let refused = 0;
  for (let length = 0; length < body.length; length++) {
    try {
      assertEquals(await decompressBatch(runtime, body.subarray(0, length), LIMIT), batch);
    } catch (error) {
      assertInstanceOf(error, ProtocolError);
      refused++;
    }
  }
  assertGreater(refused, body.length / 2);
});
