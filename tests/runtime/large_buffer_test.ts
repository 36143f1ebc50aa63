// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { copyToLargeBuffer, makeLargeBuffer } from "../../runtime/large_buffer.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { FRAME_HEADER_BYTES, FrameReader } from "../../wire/frame_reader.ts";
import { liveBytes } from "../live_bytes.ts";

/** Pages that the kernel provides while 160 MiB are made and freed, 16 at a time, after a frame of `body` bytes was read. */
async function faultsAfter(body: number): Promise<number> {
  const program = new URL("freed_memory_program.ts", import.meta.url).pathname;
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", program, `${body}`],
    stdin: "null",
    stderr: "inherit",
  }).output();
  assertEquals(success, true);
  return Number(new TextDecoder().decode(stdout));
}

Deno.test({
  name: "makeLargeBuffer() has freed memory used again, where a large frame was read",
  ignore: !Deno.build.target.endsWith("linux-gnu"),
  fn: async () => {
    const [small, large] = [await faultsAfter(1024), await faultsAfter(512 * 1024)];
    // The memory of the frame itself, once freed, has up to three quarters of them used again, without anything that the function does.
    assert(large < small / 8, `${large} pages were provided, and ${small} without a large frame`);
  },
});

const MEBIBYTE = 1024 * 1024;

/** Reads frames of `body` bytes until they make so many MiB, and asks for each to be kept. */
async function readKept(body: number, mebibytes: number): Promise<void> {
  const size = FRAME_HEADER_BYTES + body;
  const end = size * Math.ceil(mebibytes * MEBIBYTE / size);
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  new DataView(header.buffer).setUint32(0, 1 + body);
  header[4] = FrameKind.message;
  let position = 0;
  const reader = new FrameReader({
    // deno-lint-ignore require-await -- the interface asks for a promise
    async read(buffer) {
      const behind = position % size;
      const length = Math.min(buffer.length, size - behind, end - position);
      if (behind < FRAME_HEADER_BYTES) buffer.set(header.subarray(behind, behind + length));
      position += length;
      return length === 0 ? null : length;
    },
  }, size);
  await reader.run(() => void reader.retain(body));
}

/** MiB of this isolate that live on after something was done, and did not before. */
async function grown(act: () => void | Promise<void>): Promise<number> {
  const before = liveBytes();
  await act();
  return (liveBytes() - before) / MEBIBYTE;
}

// What these modules have made so far counts for all tests of this file, so this is one.
Deno.test("a process comes to carry 16 MiB of ballast, and no more, with the large buffers that it makes and the frames that it keeps", async (t) => {
  const between = async (least: number, most: number, act: () => void | Promise<void>) => {
    const growth = await grown(act);
    assert(least <= growth && growth <= most, `it has grown by ${growth} MiB, ${least} to ${most} are expected`);
  };
  await t.step("none with a large buffer now and then", () =>
    between(-0.5, 0.5, () => {
      makeLargeBuffer(3 * MEBIBYTE);
    }));
  await t.step("a piece with further copies of chunks", () =>
    between(0.9, 1.5, () => {
      const chunk = new Uint8Array(64 * 1024);
      for (let copied = 0; copied < 2 * MEBIBYTE; copied += chunk.length) copyToLargeBuffer(chunk);
    }));
  await t.step("more with small frames that are kept", () => between(4, 8, () => readKept(15 * 1024, 24)));
  await t.step("the rest with large ones", () => between(6, 12, () => readKept(512 * 1024, 128)));
  await t.step("no more", () => between(-0.5, 0.5, () => readKept(512 * 1024, 128)));
});
