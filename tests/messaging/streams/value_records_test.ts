// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { MessageTooLargeError } from "../../../messaging/errors.ts";
import { RecordReader, RecordWriter } from "../../../messaging/streams/value_records.ts";
import { SeededRandom } from "../../../testing/seeded_random.ts";
import { EncodeError } from "../../../wire/encode_error.ts";
import { ProtocolError } from "../../../wire/frame_reader.ts";
import { PayloadCodec } from "../../../wire/payload_codec.ts";

const MAX = 1024 * 1024;

function readAll(chunks: readonly Uint8Array[], max = MAX): { values: unknown[]; reader: RecordReader } {
  const reader = new RecordReader(new PayloadCodec(), max);
  const values: unknown[] = [];
  for (const chunk of chunks) {
    reader.put(chunk);
    for (let next = reader.next(); next !== undefined; next = reader.next()) values.push(next[0]);
  }
  return { values, reader };
}

Deno.test("values come out of a stream of records however its bytes are cut", () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = new SeededRandom(seed);
    const writer = new RecordWriter(new PayloadCodec(), MAX);
    const values = Array.from({ length: 30 }, (_, index) => ({ index, text: "x".repeat(random.next() * 300) }));
    const bytes = values.flatMap((value) => [...writer.record(value)]);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = random.next() < 0.5 ? 1 + Math.floor(random.next() * 4) : Math.ceil(random.next() * 1_000);
      chunks.push(Uint8Array.from(bytes.slice(at, at + length)));
      at += length;
    }
    const { values: read, reader } = readAll(chunks);
    assertEquals(read, values);
    assertEquals(reader.isBetween, true);
  }
});

Deno.test("a record that is cut off shows, one that is too large is refused before room is made for it", () => {
  const writer = new RecordWriter(new PayloadCodec(), MAX);
  const record = writer.record("hello");
  assertEquals(readAll([record.subarray(0, 6)]).reader.isBetween, false);
  assertThrows(() => readAll([Uint8Array.of(0, 0, 4, 1, 0)], 1024), ProtocolError, "1025 bytes, the limit is 1024");
  assertThrows(() => readAll([Uint8Array.of(0xff, 0xff), Uint8Array.of(0xff, 0xff)]), ProtocolError, "4294967295");
  assertThrows(() => readAll([Uint8Array.of(0, 0, 0, 1, 0xc1)]), SyntaxError);
  assertThrows(() => writer.record(new Uint8Array(MAX)), MessageTooLargeError, "the limit is 1048576");
  assertThrows(() => writer.record(new Map()), EncodeError);
});
