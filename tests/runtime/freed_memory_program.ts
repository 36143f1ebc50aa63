// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Reads a frame of the given number of bytes, then makes, touches and frees 16 MiB again and again, and prints how many pages the
 * kernel had to provide meanwhile. Run by `large_buffer_test.ts`.
 *
 * @module
 */

import { FRAME_HEADER_BYTES, FrameReader } from "../../wire/frame_reader.ts";
import { FrameKind } from "../../wire/frame_kind.ts";

const PAGE = 4096;
const PIECE = 1024 * 1024;

const body = Number(Deno.args[0]);
const frame = new Uint8Array(FRAME_HEADER_BYTES + body);
new DataView(frame.buffer).setUint32(0, 1 + body);
frame[4] = FrameKind.message;
let position = 0;
const reader = new FrameReader({
  read(buffer) {
    const part = frame.subarray(position, position + buffer.length);
    buffer.set(part);
    position += part.length;
    return Promise.resolve(part.length === 0 ? null : part.length);
  },
}, frame.length);
await reader.run(() => {});

makeAndFree();
const before = faults();
for (let round = 0; round < 10; round++) makeAndFree();
Deno.stdout.writeSync(new TextEncoder().encode(`${faults() - before}\n`));

function makeAndFree(): void {
  const pieces = Array.from({ length: 16 }, () => new Uint8Array(PIECE));
  for (const piece of pieces) {
    for (let at = 0; at < PIECE; at += PAGE) piece[at] = 1;
  }
  for (const piece of pieces) piece.buffer.transfer(0);
}

/** Pages that the kernel gave this process so far: field 10 of proc_pid_stat(5). */
function faults(): number {
  return Number(Deno.readTextFileSync("/proc/self/stat").split(" ")[9]);
}
