// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import type { Envelope } from "../../wire/envelope.ts";
import { MessageTooLargeError } from "../../messaging/errors.ts";
import { EncodeError } from "../../wire/encode_error.ts";
import {
  readHandlerName,
  readMessage,
  readTraceHead,
  TRACE_HEAD_BYTES,
  writeMessage,
} from "../../messaging/message_frame.ts";
import { TRACE_BYTES } from "../../wire/trace_context.ts";
import { PayloadCodec, UndecodableMessage, ZERO_COPY_MIN_BYTES } from "../../wire/payload_codec.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { randomValue } from "../wire/random_value.ts";
import { concat, pattern } from "../connections/fake_stream.ts";
import { seededRandom } from "../seeded_random.ts";
import { ConnectionBench } from "./message_bench.ts";
import { lastOf, nthOf } from "../values.ts";

const codec = new PayloadCodec();
const ENVELOPE: Envelope = { sequence: 2, floor: 1, causal: undefined, call: undefined };

/** Queues a plain message. */
function write(
  bench: ConnectionBench,
  name: string,
  message: unknown,
  { cast = false, envelope = undefined as Envelope | undefined } = {},
) {
  return writeMessage(bench.connection, codec, name, cast, envelope, message);
}

/** Reads a body as a message. */
function read(body: Uint8Array | readonly number[], kind: number = FrameKind.message, bench = new ConnectionBench()) {
  return readMessage(bench.connection, codec, kind, Uint8Array.from(body), 0, body.length);
}

Deno.test("a message arrives with its name, its envelope and the mark of a cast, whatever it is", async () => {
  const random = seededRandom(3);
  const bench = new ConnectionBench();
  const sent = Array.from({ length: 300 }, () => ({
    name: random.pick(["log", "counter", "", "x".repeat(255), "größe-\u{1F600}", "\uFEFFmark"]),
    cast: random.chance(0.5),
    envelope: random.chance(0.3) ? { ...ENVELOPE, sequence: 2 + random.int(30_000) } : undefined,
    message: random.chance(0.05) ? pattern(ZERO_COPY_MIN_BYTES + random.int(9)) : randomValue(random),
  }));
  for (const { name, message, ...rest } of sent) assert(write(bench, name, message, rest));
  assertEquals(await bench.messages(codec), sent);
});

Deno.test("a name goes over a connection once, and only its number from then on", async () => {
  const bench = new ConnectionBench();
  for (const name of ["a", "b", "a", "b", "a"]) write(bench, name, null);
  const frames = await bench.frames();
  assertEquals(frames.map(({ kind }) => kind), [
    FrameKind.handlerName,
    FrameKind.message,
    FrameKind.handlerName,
    FrameKind.message,
    ...[FrameKind.message, FrameKind.message, FrameKind.message],
  ]);
  assertEquals(lastOf(frames).body, Uint8Array.of(0, 1, 0xc0));
});

Deno.test("names beyond those that are numbered travel with each message", async () => {
  const bench = new ConnectionBench();
  const names = Array.from({ length: 4200 }, (_, index) => `handler ${index}`);
  for (const name of names) write(bench, name, 7, { cast: true });
  for (const name of names.slice(4090, 4100)) write(bench, name, 8, { envelope: ENVELOPE });
  const messages = await bench.messages(codec);
  assertEquals(messages.map(({ name }) => name), [...names, ...names.slice(4090, 4100)]);
  assertEquals(messages.at(-1), { name: "handler 4099", cast: false, envelope: ENVELOPE, message: 8 });
  const introduced = (await bench.frames()).filter(({ kind }) => kind === FrameKind.handlerName);
  assertEquals(introduced.length, 4095);
});

Deno.test("a name that is longer than any that can be registered is refused before it goes out", async () => {
  const bench = new ConnectionBench();
  for (let count = 0; count < 2; count++) {
    assertThrows(() => write(bench, "x".repeat(256), 1), RangeError, "its name has 256 characters, the limit is 255");
  }
  write(bench, "\u{3042}".repeat(255), 1);
  assertEquals((await bench.messages(codec)).length, 1);
});

Deno.test("a message that cannot be encoded leaves those around it as they are", async () => {
  const bench = new ConnectionBench();
  write(bench, "log", 1);
  for (const message of [undefined, { at: new Date(NaN) }, [1, [2, () => {}]], 2n ** 70n]) {
    assertThrows(() => write(bench, "log", message), EncodeError);
    assertThrows(() => write(bench, "fresh", message, { envelope: ENVELOPE }), EncodeError);
  }
  write(bench, "log", 2);
  write(bench, "fresh", 3);
  assertEquals((await bench.messages(codec)).map(({ name, message }) => [name, message]), [
    ["log", 1],
    ["log", 2],
    ["fresh", 3],
  ]);
});

Deno.test("a message that sends another one while it is encoded disturbs nothing but that", async () => {
  const bench = new ConnectionBench();
  let caught: unknown;
  const message = {
    first: 1,
    get second() {
      try {
        write(bench, "nested", 0);
      } catch (error) {
        caught = error;
      }
      return 2;
    },
  };
  write(bench, "outer", message);
  write(bench, "nested", 3);
  write(bench, "other", 4);
  assertInstanceOf(caught, TypeError);
  assertEquals((await bench.messages(codec)).map(({ name, message }) => [name, message]), [
    ["outer", { first: 1, second: 2 }],
    ["nested", 3],
    ["other", 4],
  ]);
});

Deno.test("a message of exactly the largest frame passes, with and without a tail, and one byte more does not", async () => {
  for (const size of [2000, ZERO_COPY_MIN_BYTES + 10]) {
    // Kind, handler number, and the head of MessagePack's bytes.
    const frameBytes = 1 + 2 + (size >= ZERO_COPY_MIN_BYTES ? 5 : 3) + size;
    const fits = new ConnectionBench({ maxFrameBytes: frameBytes });
    assert(write(fits, "log", pattern(size)));
    assertEquals((await fits.messages(codec))[0]?.message, pattern(size));
    const tight = new ConnectionBench({ maxFrameBytes: frameBytes - 1 });
    assertThrows(() => write(tight, "log", pattern(size)), MessageTooLargeError, `the limit is ${frameBytes - 1}`);
    write(tight, "log", 1);
    assertEquals((await tight.messages(codec)).map(({ message }) => message), [1]);
  }
});

Deno.test("a message for which there is no room is not queued, and those before it are sent", async () => {
  const bench = new ConnectionBench({ maxQueuedBytes: 1000 });
  assert(write(bench, "log", pattern(600)));
  assertEquals(write(bench, "log", pattern(601)), false);
  assertEquals(write(bench, "log", pattern(601), { envelope: ENVELOPE }), false);
  assertEquals((await bench.messages(codec)).map(({ message }) => message), [pattern(600)]);
});

Deno.test("a message beyond the bound is queued when nothing else waits, although its name goes out first", async () => {
  const bench = new ConnectionBench({ maxQueuedBytes: 1000 });
  assert(write(bench, "log", pattern(5000)));
  assertEquals(write(bench, "log", pattern(5000)), false);
  assertEquals((await bench.messages(codec)).length, 1);
});

Deno.test("a message of a handler number that was never introduced is refused", () => {
  for (const number of [1, 7, 4095, 0x7fff]) {
    assertThrows(() => read([number >> 8, number & 0xff, 0xc0]), ProtocolError, `handler number ${number} was never`);
  }
});

Deno.test("a message that is cut off is refused", () => {
  const named = concat(Uint8Array.of(0, 0, 0, 0, 0, 2), encode("x"), encode(5));
  assertEquals(read(named), { name: "x", cast: false, envelope: undefined, message: 5 });
  for (let length = 0; length < named.length - 1; length++) {
    assertThrows(() => read(named.subarray(0, length)), Error, length < 8 ? "truncated" : "", `${length} bytes`);
  }
  assertInstanceOf(read(named.subarray(0, named.length - 1)).message, UndecodableMessage);
  for (const body of [[0, 0, 0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0, 0, 9, 1], [0, 0, 0, 0, 0, 1, 5, 5]]) {
    assertThrows(() => read(body), ProtocolError);
  }
  assertThrows(() => read(named, FrameKind.envelope), ProtocolError, "truncated");
});

Deno.test("a payload that cannot be decoded says why, and does no harm to the connection", () => {
  for (const payload of [[], [0xc1], [0x81, 0xa1], [0xd4, 1, 1], [1, 2]]) {
    const { name, message } = read([0, 0, 0, 0, 0, 2, 0xa1, 0x78, ...payload]);
    assertEquals(name, "x");
    assertInstanceOf(message, UndecodableMessage);
    assertInstanceOf(message.error, SyntaxError);
  }
});

Deno.test("a handler name that is too long, or one too many, is refused", () => {
  const { connection } = new ConnectionBench();
  readHandlerName(connection, new Uint8Array(1024).fill(0x61));
  assertThrows(() => readHandlerName(connection, new Uint8Array(1025).fill(0x61)), ProtocolError, "it is too long");
  for (let count = 1; count < 4095; count++) readHandlerName(connection, encode(count));
  assertThrows(() => readHandlerName(connection, encode("x")), ProtocolError, "one too many");
});

const TRACED = { session: { version: 2, features: new Set(["trace"]), maxFrameBytes: 2 ** 20 } };
const TRACE = pattern(TRACE_BYTES);

Deno.test("a message that belongs to a trace says so in front, to a peer that knows of traces", async () => {
  const bench = new ConnectionBench(TRACED);
  for (const envelope of [undefined, ENVELOPE]) {
    writeMessage(bench.connection, codec, "log", true, envelope, 7, TRACE);
    const { kind, body } = lastOf(await bench.frames());
    assertEquals(kind, FrameKind.traced);
    const [trace, inner] = readTraceHead(body, 0, body.length);
    assertEquals([trace, inner], [TRACE, envelope === undefined ? FrameKind.message : FrameKind.envelope]);
    const untraced = new ConnectionBench();
    writeMessage(untraced.connection, codec, "log", true, envelope, 7, TRACE);
    const plain = nthOf(await untraced.frames(), 1);
    assertEquals([plain.kind, plain.body], [inner, body.subarray(TRACE_HEAD_BYTES)]);
  }
});

Deno.test("a message that fits without its trace only is sent without it", async () => {
  const frameBytes = 1 + 2 + 3 + 2_000;
  const bench = new ConnectionBench({ session: { ...TRACED.session, maxFrameBytes: frameBytes } });
  assert(writeMessage(bench.connection, codec, "log", true, undefined, pattern(2_000), TRACE));
  assertEquals(lastOf(await bench.frames()).kind, FrameKind.message);
});

Deno.test("a trace that is cut off, or in front of anything but a message, ends the connection", () => {
  for (const bytes of [TRACE, Uint8Array.of(...TRACE, FrameKind.traced), Uint8Array.of(...TRACE, FrameKind.relay)]) {
    assertThrows(() => readTraceHead(bytes, 0, bytes.length), ProtocolError);
  }
});
