// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertInstanceOf, assertIsError } from "@std/assert";
import type { Runtime } from "../../transport/runtime.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { compressBatch } from "../../connections/compression.ts";
import { Connection, type ConnectionOptions } from "../../connections/connection.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { type Frame, FrameReader, ProtocolError } from "../../wire/frame_reader.ts";
import { Peer } from "../../connections/peer.ts";
import type { ByteStream } from "../../transport/transport.ts";
import { bareRuntime } from "./bare_runtime.ts";
import { nodeSpec } from "../node_spec.ts";
import { seededRandom } from "../seeded_random.ts";
import { concat, FakeStream, frame, pattern, settled } from "./fake_stream.ts";

const OPTIONS: ConnectionOptions = {
  maxFrameBytes: 100_000,
  maxQueuedBytes: 2 ** 24,
  highWaterMark: 2 ** 20,
  compression: false,
};

/** A connection, and what it told its handler. */
class Bench {
  readonly frames: Frame[] = [];
  /** Views of the bodies of frames, which the reader was told to retain. */
  readonly views: Uint8Array[] = [];
  readonly ends: unknown[] = [];
  readonly connection: Connection;
  onFrame: (kind: number) => void = () => {};

  constructor(runtime: Runtime, stream: ByteStream, options: Partial<ConnectionOptions> = {}) {
    const peer = new Peer(nodeSpec("b"), nodeSpec("a"));
    const frame = (connection: Connection, kind: number, buffer: Uint8Array, start: number, end: number) => {
      connection.reader.retain();
      this.views.push(buffer.subarray(start, end));
      this.frames.push({ kind, body: buffer.slice(start, end) });
      this.onFrame(kind);
    };
    const handler = {
      frame,
      message: frame,
      closed: (_: Connection, error: unknown) => {
        this.ends.push(error);
      },
    };
    const identity = { peer, channel: "default", index: 0, dial: 1, outbound: true };
    const reader = new FrameReader(stream, 100);
    this.connection = new Connection(identity, stream, reader, handler, runtime, { ...OPTIONS, ...options });
  }
}

/** A connection over a stream whose other end is the test. */
function alone(options: Partial<ConnectionOptions> = {}): { bench: Bench; stream: FakeStream } {
  const stream = new FakeStream();
  const bench = new Bench(bareRuntime(), stream, options);
  bench.connection.start();
  return { bench, stream };
}

/** The two ends of a connection over a network in memory. */
async function pair(world: SimulatedWorld, options: Partial<ConnectionOptions>): Promise<[Bench, Bench]> {
  const [a, b] = [world.node("a"), world.node("b")];
  const accepted = Promise.withResolvers<ByteStream>();
  const { address } = await b.transport.listen({ hostname: "b", port: 0 }, accepted.resolve);
  const stream = await world.wait(a.transport.connect(address), 1000);
  const ends: [Bench, Bench] = [new Bench(a, stream, options), new Bench(b, await accepted.promise, options)];
  for (const { connection } of ends) connection.start();
  return ends;
}

Deno.test("Connection carries frames, small ones and those with a tail, with and without compression", async () => {
  for (const compression of [false, true]) {
    const random = seededRandom(5);
    const world = new SimulatedWorld({ seed: 3 });
    const [a, b] = await pair(world, { compression });
    const sent: Frame[] = [];
    for (let round = 0; round < 20; round++) {
      for (let count = random.int(8); count >= 0; count--) {
        const body = pattern(random.int(random.pick([10, 2000])), round);
        const tail = random.chance(0.3) ? pattern(16_384 + random.int(40_000), round) : undefined;
        a.connection.queue.begin(FrameKind.message).raw(body);
        a.connection.queue.commit(tail);
        sent.push({ kind: FrameKind.message, body: concat(body, tail ?? new Uint8Array()) });
      }
      await world.advance(random.int(3));
    }
    assert(await world.runUntil(() => b.frames.length === sent.length, 10_000));
    assertEquals(b.frames, sent);
    assertEquals(b.views, sent.map(({ body }) => body));
    const { bytesWritten } = a.connection.queue;
    assertEquals(bytesWritten < sent.reduce((sum, { body }) => sum + body.length, 0) / 2, compression);
    assertEquals(b.connection.reader.bytesRead, bytesWritten);
    assertEquals([a.ends, b.ends], [[], []]);
  }
});

Deno.test("Connection deflates no batch that is larger than the other end inflates", async () => {
  const world = new SimulatedWorld();
  const [a, b] = await pair(world, { compression: true, maxFrameBytes: 5000 });
  for (let count = 0; count < 10; count++) {
    a.connection.queue.begin(FrameKind.message).raw(pattern(4999));
    a.connection.queue.commit();
  }
  assert(await world.runUntil(() => b.frames.length === 10, 1000));
  assertEquals(b.ends, []);
});

Deno.test("Connection raises the limit that held during the handshake", async () => {
  const { bench, stream } = alone();
  stream.give(frame(FrameKind.message, pattern(99_999)));
  await settled();
  assertEquals(bench.frames.length, 1);
});

Deno.test("Connection closes with the reason when a frame is too long", async () => {
  const { bench, stream } = alone();
  stream.give(frame(FrameKind.message, pattern(100_000)));
  await settled();
  assertInstanceOf(bench.ends[0], ProtocolError);
  assert(stream.closed && bench.connection.closed);
});

Deno.test("Connection closes without a reason when the other end closes", async () => {
  const { bench, stream } = alone();
  stream.give(frame(FrameKind.message, pattern(3)));
  stream.end();
  await settled();
  assertEquals(bench.frames.length, 1);
  assertEquals(bench.ends, [undefined]);
  assert(stream.closed);
});

Deno.test("Connection closes with what the stream fails with, reading or writing", async () => {
  const reading = alone();
  reading.stream.fail(new Error("Connection reset"));
  await settled();
  assertEquals(reading.bench.ends.length, 1);
  assertIsError(reading.bench.ends[0], Error, "Connection reset");

  const writing = alone();
  writing.stream.writeError = new Error("Broken pipe");
  writing.bench.connection.queue.begin(FrameKind.ping);
  writing.bench.connection.queue.commit();
  await settled();
  assertEquals(writing.bench.ends.length, 1);
  assertIsError(writing.bench.ends[0], Error, "Broken pipe");
});

Deno.test("Connection closes with what the handler throws, and hands it nothing more", async () => {
  const { bench, stream } = alone();
  bench.onFrame = () => {
    throw new SyntaxError("Cannot understand");
  };
  stream.give(concat(frame(1), frame(2)));
  await settled();
  assertEquals(bench.frames.length, 1);
  assertEquals(bench.ends.length, 1);
  assertIsError(bench.ends[0], SyntaxError, "Cannot understand");
});

Deno.test("Connection hands over nothing after close(), although more has arrived", async () => {
  const { bench, stream } = alone();
  bench.onFrame = () => bench.connection.close("enough");
  stream.give(concat(frame(1), frame(2), frame(3)));
  await settled();
  assertEquals(bench.frames.map(({ kind }) => kind), [1]);
  assertEquals(bench.ends, ["enough"]);
});

Deno.test("Connection.close() tells the handler once, frees its waiters and drops what waits", async () => {
  const { bench, stream } = alone();
  const { connection } = bench;
  connection.queue.begin(1).raw(pattern(50_000));
  connection.queue.commit();
  const flushed = connection.queue.flushed();
  connection.close();
  connection.close("again");
  assertEquals(connection.queue.queuedBytes, 0);
  await flushed;
  await settled();
  assertEquals(bench.ends, [undefined]);
  assertEquals(stream.writes, []);
});

Deno.test("Connection hands over the frames of a batch in order with those before and behind it", async () => {
  const { bench, stream } = alone({ compression: true });
  const inside = concat(...[2, 3, 4].map((kind) => frame(kind, new Uint8Array(500))));
  const batch = await compressBatch(bareRuntime(), inside, 100_000);
  stream.give(concat(frame(1), batch, frame(5)));
  await settled();
  await settled();
  assertEquals(bench.frames.map(({ kind }) => kind), [1, 2, 3, 4, 5]);
});

Deno.test("Connection closes on a batch that is garbage, or holds garbage or another batch, and nothing is left to fail", async () => {
  const runtime = bareRuntime();
  const garbage = frame(FrameKind.compressed, pattern(50));
  const nested = await compressBatch(runtime, concat(garbage, frame(1, new Uint8Array(3000))), 100_000);
  const cutOff = await compressBatch(runtime, frame(1, new Uint8Array(3000)).subarray(0, 2000), 100_000);
  for (const bytes of [garbage, nested, cutOff]) {
    const { bench, stream } = alone({ compression: true });
    stream.give(bytes);
    for (let count = 0; count < 5; count++) await settled();
    assertInstanceOf(bench.ends[0], ProtocolError);
    assertEquals(bench.frames, []);
  }
});

Deno.test("Connection that is closed while it inflates a batch hands over nothing of it", async () => {
  const { bench, stream } = alone({ compression: true });
  stream.give(await compressBatch(bareRuntime(), frame(1, new Uint8Array(3000)), 100_000));
  await Promise.resolve();
  bench.connection.close();
  for (let count = 0; count < 5; count++) await settled();
  assertEquals(bench.frames, []);
  assertEquals(bench.ends, [undefined]);
});
