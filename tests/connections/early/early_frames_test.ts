// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import {
  EarlyWord,
  readEarly,
  readMark,
  readPosition,
  writeEarlyHead,
  writeMark,
} from "../../../connections/early/early_frames.ts";
import { ByteWriter } from "../../../wire/byte_writer.ts";
import { ProtocolError } from "../../../wire/frame_reader.ts";

function headOf(channel: string, index = 3): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writeEarlyHead(writer, EarlyWord.taken, { channel, index, from: 2 ** 32 - 1, to: 258 });
  return writer.written().slice();
}

Deno.test("a frame of an early connection is read as it was written", () => {
  for (const channel of ["", "default", "größer"]) {
    const head = headOf(channel);
    const frame = readEarly(Uint8Array.of(9, ...head, 7, 8, 9), 1, head.length + 3);
    assertEquals({ ...frame, body: [...frame.body] }, {
      word: EarlyWord.taken,
      index: 3,
      channel,
      from: 2 ** 32 - 1,
      to: 258,
      body: [7, 8],
    });
  }
});

Deno.test("a frame of an early connection that is cut anywhere within its head is malformed", () => {
  for (const head of [headOf("default"), headOf("")]) {
    // What lies behind in the buffer is none of it.
    const buffer = Uint8Array.of(...head, 0, 0, 0, 0);
    for (let end = 0; end < head.length; end++) {
      assertThrows(() => readEarly(buffer, 0, end), ProtocolError, "malformed");
      assertThrows(() => readEarly(head.subarray(0, end), 0, end), ProtocolError, "malformed");
    }
    assertEquals(readEarly(buffer, 0, head.length).body.length, 0);
  }
});

Deno.test("a frame of an early connection whose channel is no UTF-8 is malformed", () => {
  const head = headOf("x");
  head[head.length - 1] = 0xff;
  assertThrows(() => readEarly(head, 0, head.length), ProtocolError, "malformed");
});

Deno.test("a position has 4 bytes, and with the mark of a socket 13", () => {
  assertEquals(readPosition(Uint8Array.of(255, 255, 255, 254, 1)), 2 ** 32 - 2);
  assertThrows(() => readPosition(new Uint8Array(3)), ProtocolError, "malformed");
  assertEquals(readPosition(new Uint8Array(13), 13), 0);
  assertThrows(() => readPosition(new Uint8Array(12), 13), ProtocolError, "malformed");
});

Deno.test("the mark of a socket is what the other end sees of it", () => {
  for (const outbound of [true, false]) {
    const writer = new ByteWriter();
    writer.u32(5);
    writeMark(writer, { outbound, dial: 2 ** 40 + 7 });
    assertEquals(readMark(writer.written()), { outbound: !outbound, dial: 2 ** 40 + 7 });
  }
});
