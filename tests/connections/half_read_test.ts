// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertInstanceOf } from "@std/assert";
import { agreesOnCompression, INFLATED_MAX_BYTES } from "../../connections/compression.ts";
import { Connection } from "../../connections/connection.ts";
import { Peer } from "../../connections/peer.ts";
import { ReadingRoom } from "../../connections/reading_room.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { FrameReader, ProtocolError } from "../../wire/frame_reader.ts";
import { nodeSpec } from "../node_spec.ts";
import { bareRuntime } from "./bare_runtime.ts";
import { FakeStream, frame, pattern, settled } from "./fake_stream.ts";

const MIB = 2 ** 20;

function open(room?: ReadingRoom, compression = false) {
  const stream = new FakeStream();
  const ends: unknown[] = [];
  const frames: number[] = [];
  const frame = (_: Connection, kind: number) => void frames.push(kind);
  const handler = {
    frame,
    message: frame,
    closed: (_: Connection, error: unknown) => void ends.push(error),
  };
  const peer = new Peer(nodeSpec("b"), nodeSpec("a"), room);
  const options = { maxFrameBytes: 64 * MIB, maxQueuedBytes: MIB, highWaterMark: MIB, compression };
  const identity = { peer, channel: "default", index: 0, dial: 1, outbound: false };
  const connection = new Connection(identity, stream, new FrameReader(stream, 100), handler, bareRuntime(), options);
  connection.start();
  return { stream, ends, frames, connection };
}

Deno.test("Twenty half-sent frames of 64 MiB hold no more than one", async () => {
  const room = new ReadingRoom(64 * MIB);
  const connections = Array.from({ length: 20 }, () => open(room));
  const half = frame(FrameKind.message, new Uint8Array(32 * MIB));
  new DataView(half.buffer).setUint32(0, 64 * MIB);
  const before = Deno.memoryUsage().external;
  for (const { stream } of connections) stream.give(half.subarray(0, 1_000));
  await settled();
  for (const { stream } of connections) stream.give(half.subarray(1_000));
  await settled();
  assertEquals(room.used, 64 * MIB + 4);
  // Each of the others waits with the chunk that its first bytes came into.
  assertEquals((Deno.memoryUsage().external - before) / MIB < 100, true);
  for (const { connection } of connections) connection.close();
  await settled();
  assertEquals(room.used, 0);
});

Deno.test("A frame that began and does not end costs the connection, one that comes slowly does not", async () => {
  const { stream, ends, frames, connection } = open();
  const slow = frame(FrameKind.message, pattern(1_000));
  for (const byte of slow.subarray(0, 20)) {
    stream.give(new Uint8Array([byte]));
    await settled();
    connection.look(5_000);
  }
  stream.give(slow.subarray(20));
  await settled();
  for (let look = 0; look < 100; look++) connection.look(5_000);
  assertEquals([ends, frames], [[], [FrameKind.message]]);

  stream.give(slow.subarray(0, 3));
  await settled();
  // As after a stop of an hour: that says nothing about the frame.
  connection.look(3_600_000);
  connection.look(3_600_000);
  assertEquals(ends, []);
  for (let look = 0; look < 30; look++) connection.look(5_000);
  assertInstanceOf(ends[0], ProtocolError);
});

Deno.test("A compressed frame is taken only where both sides asked for compression", async () => {
  const { stream, ends } = open();
  stream.give(frame(FrameKind.compressed, new Uint8Array(100)));
  await settled();
  assertInstanceOf(ends[0], ProtocolError);
  const channel = (compression: boolean) => ({ parallelism: 1, monotonic: false, compression });
  assertEquals(agreesOnCompression(channel(true), channel(true)), true);
  assertEquals(agreesOnCompression(channel(true), undefined), true);
  assertEquals(agreesOnCompression(undefined, channel(true)), true);
  assertEquals(agreesOnCompression(channel(true), channel(false)), false);
  assertEquals(agreesOnCompression(channel(false), channel(true)), false);
  assertEquals(agreesOnCompression(undefined, undefined), false);
});

Deno.test("A batch that says it is larger than 8 MiB is refused before it is inflated", async () => {
  const { stream, ends } = open(undefined, true);
  const body = new Uint8Array(64 * 1024);
  new DataView(body.buffer).setUint32(0, INFLATED_MAX_BYTES + 1);
  stream.give(frame(FrameKind.compressed, body));
  await settled();
  assertInstanceOf(ends[0], ProtocolError);
});
