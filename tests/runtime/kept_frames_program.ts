// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Reads as many frames of the given number of bytes as make 8 GiB, and asks for each to be kept. Run with `--expose-gc` by `large_buffer_test.ts`.
 *
 * @module
 */

import { FRAME_HEADER_BYTES, FrameReader } from "../../wire/frame_reader.ts";
import { FrameKind } from "../../wire/frame_kind.ts";

const body = Number(Deno.args[0]);
const size = FRAME_HEADER_BYTES + body;
const end = size * Math.ceil(8 * 2 ** 30 / size);
const header = new Uint8Array(FRAME_HEADER_BYTES);
new DataView(header.buffer).setUint32(0, 1 + body);
header[4] = FrameKind.message;
let position = 0;
// The limit of the heap is a matter of how large it was at the last collection: until there was one, it is far away.
(globalThis as unknown as { gc(): void }).gc();
const reader = new FrameReader({
  async read(buffer) {
    await new Promise((resolve) => setImmediate(resolve));
    const behind = position % size;
    const length = Math.min(buffer.length, size - behind, end - position);
    if (behind < FRAME_HEADER_BYTES) buffer.set(header.subarray(behind, behind + length));
    position += length;
    return length === 0 ? null : length;
  },
}, size);
await reader.run(() => void reader.retain(body));
