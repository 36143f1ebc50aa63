// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { FrameKind } from "../../wire/frame_kind.ts";
import { type Frame, FrameReader, ProtocolError } from "../../wire/frame_reader.ts";
import { type SeededRandom, seededRandom } from "../seeded_random.ts";
import { concat, FakeStream, frame, pattern } from "../connections/fake_stream.ts";
import { lastOf, nthOf } from "../values.ts";

const LIMIT = 1024 * 1024;
const KIB = 1024;

/** Reads all frames that these pieces hold. */
async function framesOf(pieces: readonly Uint8Array[], limit = LIMIT): Promise<Frame[]> {
  const { stream, reader } = over(pieces, limit);
  stream.end();
  const frames: Frame[] = [];
  await reader.run((kind, buffer, start, end) => {
    frames.push({ kind, body: buffer.slice(start, end) });
  });
  return frames;
}

function over(pieces: readonly Uint8Array[] = [], limit = LIMIT): { stream: FakeStream; reader: FrameReader } {
  const stream = new FakeStream();
  stream.give(...pieces);
  return { stream, reader: new FrameReader(stream, limit) };
}

/** Cuts bytes into pieces of random sizes. */
function split(bytes: Uint8Array, random: SeededRandom, most: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.int(most);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** Takes the memory of bytes away, as a handler does that posts them to a worker. */
function transfer({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer();
}

const SAMPLE: readonly Frame[] = [0, 1, 3, 255, 256, 1100].map((size, kind) => ({ kind, body: pattern(size, kind) }));
const SAMPLE_BYTES = concat(...SAMPLE.map(({ kind, body }) => frame(kind, body)));

Deno.test("FrameReader finds the same frames wherever the stream is cut in two", async () => {
  for (let at = 0; at <= SAMPLE_BYTES.length; at++) {
    assertEquals(await framesOf([SAMPLE_BYTES.subarray(0, at), SAMPLE_BYTES.subarray(at)]), SAMPLE, `cut at ${at}`);
  }
});

Deno.test("FrameReader finds the same frames when every byte comes alone", async () => {
  assertEquals(await framesOf(split(SAMPLE_BYTES, seededRandom(1), 1)), SAMPLE);
});

Deno.test("FrameReader.next() finds the same frames wherever the stream is cut in two, and then null", async () => {
  for (let at = 0; at <= 40; at++) {
    const { stream, reader } = over([SAMPLE_BYTES.subarray(0, at), SAMPLE_BYTES.subarray(at)]);
    stream.end();
    for (const expected of SAMPLE) assertEquals(await reader.next(), expected, `cut at ${at}`);
    assertEquals(await reader.next(), null);
  }
});

Deno.test("FrameReader.take() hands over what is there already, and reads nothing", async () => {
  const { stream, reader } = over([concat(frame(1, pattern(3)), frame(2, pattern(5)))]);
  assertEquals(reader.take(), null);
  assertEquals((await reader.next())?.kind, 1);
  assertEquals(reader.take(), { kind: 2, body: pattern(5) });
  assertEquals(reader.take(), null);
  stream.give(frame(3));
  assertEquals(reader.take(), null);
  assertEquals((await reader.next())?.kind, 3);
});

Deno.test("FrameReader.run() goes on behind what next() took", async () => {
  const { stream, reader } = over([SAMPLE_BYTES]);
  stream.end();
  assertEquals(await reader.next(), SAMPLE[0]);
  const kinds: number[] = [];
  await reader.run((kind) => {
    kinds.push(kind);
  });
  assertEquals(kinds, [1, 2, 3, 4, 5]);
});

Deno.test("FrameReader never overwrites what was retained, under any mixture of sizes", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const sizes = Array.from({ length: 80 }, () => random.int(random.pick([8, 200, 3000, 70_000, 200_000])));
    const bytes = concat(...sizes.map((size, index) => frame(index, pattern(size, index))));
    const { stream, reader } = over(
      split(bytes, random, Math.max(bytes.length / 3000, random.pick([7, 900, 5000, 100_000]))),
    );
    stream.end();
    const retainMost = random.next();
    const kept: [index: number, view: Uint8Array][] = [];
    let index = 0;
    await reader.run((kind, buffer, start, end) => {
      assertEquals(kind, index & 0xff, `seed ${seed}`);
      assertEquals(end - start, sizes[index], `seed ${seed}`);
      if (random.next() < retainMost) {
        reader.retain();
        kept.push([index, buffer.subarray(start, end)]);
      }
      index++;
    });
    assertEquals(index, sizes.length, `seed ${seed}`);
    for (const [index, view] of kept) {
      if (!same(view, pattern(nthOf(sizes, index), index))) {
        throw new Error(`Seed ${seed}: frame ${index} was overwritten`);
      }
    }
  }
});

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

Deno.test("FrameReader reads into the same chunk as long as nothing is retained", async () => {
  const { stream, reader } = over();
  const buffers = new Set<unknown>();
  const running = reader.run((_, buffer) => {
    buffers.add(buffer.buffer);
  });
  for (let count = 0; count < 500; count++) stream.give(frame(FrameKind.message, pattern(100)));
  stream.end();
  await running;
  assertEquals(buffers.size, 1);
});

Deno.test("FrameReader fills a chunk to three quarters before it goes on in a new one, when frames are retained", async () => {
  const { stream, reader } = over();
  const buffers = new Set<unknown>();
  const running = reader.run((_, buffer) => {
    reader.retain();
    buffers.add(buffer.buffer);
  });
  for (let count = 0; count < 64; count++) stream.give(frame(FrameKind.message, pattern(95)));
  stream.end();
  await running;
  assertEquals(buffers.size, 8);
});

Deno.test("FrameReader reads into one chunk again once it has left one that was retained", async () => {
  const { stream, reader } = over();
  const buffers: unknown[] = [];
  const running = reader.run((_, buffer) => {
    if (buffers.length === 0) reader.retain();
    buffers.push(buffer.buffer);
  });
  for (let count = 0; count < 500; count++) stream.give(frame(FrameKind.message, pattern(100)));
  stream.end();
  await running;
  assertEquals(new Set(buffers).size, 2);
});

Deno.test("FrameReader offers little room while idle, much under load, and little again afterwards", async () => {
  const { stream, reader } = over();
  const running = reader.run(() => {});
  stream.give(frame(FrameKind.message, pattern(20)));
  stream.give(concat(...Array.from({ length: 3000 }, () => frame(FrameKind.message, pattern(60)))));
  await ticks(20);
  for (let count = 0; count < 40; count++) {
    stream.give(frame(FrameKind.message, pattern(count % 10 === 0 ? 2000 : 20)));
    await ticks(3);
  }
  const busy = stream.readSizes.at(-1);
  for (let count = 0; count < 40; count++) {
    stream.give(frame(FrameKind.message, pattern(20)));
    await ticks(3);
  }
  stream.end();
  await running;
  assertEquals(stream.readSizes[0], KIB);
  assertEquals(busy, 64 * KIB);
  assertEquals(stream.readSizes.at(-1), KIB);
});

Deno.test("FrameReader takes large frames into chunks of exactly their size", async () => {
  const bodies = [pattern(300 * KIB), pattern(300 * KIB, 1), pattern(200 * KIB, 2), pattern(600 * KIB, 3)];
  const { stream, reader } = over(bodies.map((body) => frame(FrameKind.message, body)));
  const taken: Uint8Array[] = [];
  stream.end();
  await reader.run((_, buffer, start, end) => {
    reader.retain();
    taken.push(buffer.subarray(start, end));
  });
  assert(taken.every((body, index) => same(body, nthOf(bodies, index))));
  // The third one was read into what was made ready for another like the second.
  assertEquals(taken.map(({ buffer }) => (buffer.byteLength - 5) / KIB), [300, 300, 300, 600]);
});

Deno.test("FrameReader lets a few frames of medium size share a chunk", async () => {
  const { stream, reader } = over(
    Array.from({ length: 20 }, (_, seed) => frame(FrameKind.message, pattern(64 * KIB, seed))),
  );
  const buffers: ArrayBufferLike[] = [];
  stream.end();
  await reader.run((_, buffer) => {
    reader.retain();
    buffers.push(buffer.buffer);
  });
  assertEquals(new Set(buffers).size, 7);
  assertLessOrEqual(Math.max(...buffers.map(({ byteLength }) => byteLength)), 256 * KIB);
});

Deno.test("FrameReader keeps no chunk of large frames for a small one among them, but for many", async () => {
  const large = (seed: number) => frame(FrameKind.message, pattern(64 * KIB, seed));
  const small = frame(FrameKind.message, pattern(64));
  const { stream, reader } = over([]);
  const kept: boolean[] = [];
  const buffers = new Set<unknown>();
  const running = reader.run((_, buffer, start, end) => {
    buffers.add(buffer.buffer);
    if (end - start === 64) kept.push(reader.retain(end - start));
  });
  for (let seed = 0; seed < 20; seed++) {
    stream.give(concat(large(seed), small));
    await ticks(20);
  }
  // The first chunks are not yet made for large frames.
  assertEquals(kept.slice(3), Array(17).fill(false));
  const chunks = buffers.size;
  assertLessOrEqual(chunks, 6);
  stream.give(concat(...Array.from({ length: 100 }, () => small)));
  await ticks(20);
  assertEquals(kept.at(-1), true);
  stream.end();
  await running;
});

async function ticks(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await Promise.resolve();
}

Deno.test("FrameReader makes ready for another frame as large as the last one, up to a mebibyte, until it is calm again", async () => {
  const { stream, reader } = over([], 2 ** 24);
  const running = reader.run(() => {});
  for (const size of [300 * KIB, 3 * KIB * KIB]) {
    stream.give(frame(FrameKind.message, pattern(size)));
    await ticks(40);
    assertEquals(stream.waitingRead?.length, Math.min(size + 5, KIB * KIB));
  }
  for (let count = 0; count < 40; count++) {
    stream.give(frame(FrameKind.message, pattern(20)));
    await ticks(3);
  }
  assertEquals(stream.waitingRead?.length, KIB);
  stream.end();
  await running;
});

Deno.test("FrameReader.run() asks now and then whether to give way, and hands over nothing until it may go on", async () => {
  const { stream, reader } = over([
    concat(...Array.from({ length: 1000 }, (_, index) => frame(index & 1, pattern(20)))),
  ]);
  const gates: PromiseWithResolvers<void>[] = [];
  let taken = 0;
  const running = reader.run(() => {
    taken++;
  }, () => {
    gates.push(Promise.withResolvers());
    return lastOf(gates).promise;
  });
  stream.end();
  for (let looks = 1; looks <= 2; looks++) {
    await ticks(20);
    assertEquals(gates.length, looks);
    assertEquals(taken, 493 * looks);
    lastOf(gates).resolve();
  }
  await running;
  assertEquals(taken, 1000);
});

Deno.test("FrameReader accepts a frame of exactly the limit, and refuses one byte more", async () => {
  assertEquals((await framesOf([frame(1, pattern(99))], 100)).length, 1);
  const message = "Cannot read a frame: its length is 101 bytes, the limit is 100";
  await assertRejects(() => framesOf([frame(1, pattern(100))], 100), ProtocolError, message);
  const { reader } = over([frame(1, pattern(100))], 100);
  await assertRejects(() => reader.next(), ProtocolError, message);
});

Deno.test("FrameReader refuses a long frame by its header, before it makes room for it", async () => {
  for (const length of [101, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    const header = new Uint8Array(5);
    new DataView(header.buffer).setUint32(0, length);
    for (const at of [1, 2, 3, 4, 5]) {
      const { stream, reader } = over([header.subarray(0, at), header.subarray(at)], 100);
      await assertRejects(() => reader.next(), ProtocolError, `its length is ${length} bytes`);
      assertLessOrEqual(Math.max(...stream.readSizes), KIB);
    }
  }
});

Deno.test("FrameReader applies a limit that was raised to the frames that it holds already", async () => {
  const { reader } = over([concat(frame(1), frame(2, pattern(500)))], 100);
  assertEquals((await reader.next())?.kind, 1);
  reader.maxFrameBytes = 501;
  assertEquals((await reader.next())?.body, pattern(500));
});

Deno.test("FrameReader refuses a frame of length 0", async () => {
  for (const pieces of [[new Uint8Array(5)], [new Uint8Array(4), new Uint8Array(1)]]) {
    await assertRejects(() => framesOf(pieces), ProtocolError, "its length is 0, expected at least 1");
  }
});

Deno.test("FrameReader goes on when a large frame is transferred, which has a chunk to itself", async () => {
  const { stream, reader } = over();
  const sizes: number[] = [];
  const done = reader.run((kind, buffer, start, end) => {
    sizes.push(end - start);
    if (kind !== 1) return;
    reader.retain();
    transfer(buffer);
  });
  for (const kind of [1, 2, 1, 2]) {
    stream.give(frame(kind, pattern(200 * KIB, kind)));
    stream.give(frame(kind, pattern(300 * KIB, kind)));
  }
  stream.end();
  await done;
  assertEquals(sizes, [1, 2, 1, 2].flatMap(() => [200 * KIB, 300 * KIB]));
});

Deno.test("FrameReader blames who transfers a frame that shares its chunk, and not the other side", async () => {
  for (const bytes of [SAMPLE_BYTES, SAMPLE_BYTES.subarray(0, 8), SAMPLE_BYTES.subarray(0, 15)]) {
    const { stream, reader } = over([bytes]);
    stream.end();
    const seen: number[] = [];
    const error = await assertRejects(() =>
      reader.run((kind, buffer) => {
        seen.push(kind);
        reader.retain();
        transfer(buffer);
      }), TypeError);
    assertStringIncludes(error.message, "transfer a copy, as slice() makes it");
    assertEquals(seen, [0]);
  }
});

Deno.test("FrameReader tells an end between two frames from one within", async () => {
  const whole = concat(frame(1, pattern(3)), frame(2, pattern(10)));
  for (let length = 0; length <= whole.length; length++) {
    const reading = framesOf([whole.subarray(0, length)]);
    if (length === 0 || length === 8 || length === whole.length) {
      assertEquals((await reading).length, length && (length === 8 ? 1 : 2));
    } else await assertRejects(() => reading, Error, "the stream ended within it");
  }
});

Deno.test("FrameReader.run() passes on what the stream fails with", async () => {
  const { stream, reader } = over([frame(1)]);
  stream.fail(new Error("Connection reset"));
  await assertRejects(() => reader.run(() => {}), Error, "Connection reset");
});

Deno.test("FrameReader.run() passes on what the sink throws, and hands it nothing more", async () => {
  const { reader } = over([SAMPLE_BYTES]);
  let calls = 0;
  const run = () =>
    reader.run(() => {
      if (++calls === 2) throw new SyntaxError("Cannot understand");
    });
  await assertRejects(run, SyntaxError, "Cannot understand");
  assertEquals(calls, 2);
});

Deno.test("FrameReader.run() holds back what follows until a sink's promise resolves, and keeps its bytes meanwhile", async () => {
  const { stream, reader } = over([concat(frame(1, pattern(600)), frame(2)), pattern(KIB, 9)]);
  const gate = Promise.withResolvers<void>();
  const kinds: number[] = [];
  const running = assertRejects(() =>
    reader.run((kind, buffer, start, end) => {
      kinds.push(kind);
      if (kind !== 1) return;
      const view = buffer.subarray(start, end);
      return gate.promise.then(() => assert(same(view, pattern(600))));
    })
  );
  await ticks(20);
  assertEquals(kinds, [1]);
  assertEquals(stream.readSizes.length, 1);
  gate.resolve();
  await running;
  assertEquals(kinds, [1, 2]);
});

Deno.test("FrameReader.bytesRead counts what came off the stream", async () => {
  const { stream, reader } = over([SAMPLE_BYTES]);
  stream.end();
  assertEquals(reader.bytesRead, 0);
  await reader.run(() => {});
  assertEquals(reader.bytesRead, SAMPLE_BYTES.length);
});

async function batchFrames(batch: Uint8Array): Promise<Frame[]> {
  const frames: Frame[] = [];
  await over().reader.takeBatch(batch, (kind, buffer, start, end) => {
    assertStrictEquals(buffer, batch);
    frames.push({ kind, body: buffer.slice(start, end) });
  });
  return frames;
}

Deno.test("FrameReader.takeBatch() hands over every frame of a batch, wherever that lies in its buffer", async () => {
  assertEquals(await batchFrames(SAMPLE_BYTES), SAMPLE);
  assertEquals(await batchFrames(concat(pattern(13), SAMPLE_BYTES).subarray(13)), SAMPLE);
  assertEquals(await batchFrames(new Uint8Array()), []);
});

Deno.test("FrameReader.takeBatch() refuses a batch that is cut off, or has a frame of length 0", async () => {
  const whole = concat(frame(1, pattern(3)), frame(2, pattern(10)));
  for (let length = 1; length < whole.length; length++) {
    if (length !== 8) await assertRejects(() => batchFrames(whole.subarray(0, length)), ProtocolError, "malformed");
  }
  await assertRejects(() => batchFrames(concat(new Uint8Array(4), frame(1))), ProtocolError, "malformed");
  await assertRejects(() => batchFrames(new Uint8Array(9).fill(0xff)), ProtocolError, "malformed");
});

Deno.test("FrameReader.takeBatch() refuses a batch within a batch without ever looking into it", async () => {
  const inner = frame(FrameKind.compressed, pattern(10));
  const kinds: number[] = [];
  const take = () =>
    over().reader.takeBatch(concat(frame(1), inner), (kind) => {
      kinds.push(kind);
    });
  await assertRejects(take, ProtocolError, "it holds another batch");
  assertEquals(kinds, [1]);
});

Deno.test("FrameReader refuses frames of control kinds above 1 MiB before it makes room for them", async () => {
  const head = (kind: number, length: number) =>
    new Uint8Array([length >>> 24, length >>> 16, length >>> 8, length, kind]);
  for (const kind of [FrameKind.strategy, FrameKind.heartbeat, FrameKind.partition, FrameKind.ack, 0x1f]) {
    const { reader } = over([head(kind, LIMIT + 1)], 64 * LIMIT);
    await assertRejects(() => reader.next(), ProtocolError, "limit of frames of kind");
  }
  const { stream, reader } = over([frame(FrameKind.message, pattern(LIMIT))], 64 * LIMIT);
  stream.end();
  assertEquals((await reader.next())?.body.length, LIMIT);
});

Deno.test("FrameReader.takeBatch() gives way between the frames of a batch", async () => {
  const { reader } = over();
  const batch = new Uint8Array(5 * 10_000);
  for (let at = 0; at < batch.length; at += 5) batch.set([0, 0, 0, 1, 0x77], at);
  let frames = 0, turns = 0;
  await reader.takeBatch(batch, () => void frames++, () => {
    turns++;
    return Promise.resolve();
  });
  assertEquals([frames, turns > 10], [10_000, true]);
});

Deno.test("FrameReader takes room for a large frame before it reads on, and gives it back with the frame", async () => {
  const { stream, reader } = over([], 64 * LIMIT);
  const calls: unknown[] = [];
  reader.budget = { take: (bytes) => void calls.push(bytes), give: () => void calls.push("given") };
  const large = frame(FrameKind.message, pattern(3 * LIMIT));
  stream.give(large.subarray(0, 100), large.subarray(100), frame(FrameKind.message, pattern(LIMIT / 2)));
  stream.end();
  await reader.run(() => void calls.push("frame"));
  assertEquals(calls, [large.length, "given", "frame", "frame"]);
});
