// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CipherState, SealError } from "../../../connections/noise/cipher_state.ts";
import { RECORD_BYTES, SealedStream } from "../../../connections/noise/sealed_stream.ts";
import type { ByteStream } from "../../../transport/transport.ts";
import { flipBit } from "../../flip_bit.ts";
import { seededRandom } from "../../seeded_random.ts";
import { concat, FakeStream, pattern } from "../fake_stream.ts";
import { streamPair } from "../stream_pair.ts";
import { takeOf } from "../../values.ts";

const KEYS = [pattern(32, 1), pattern(32, 2)] as const;

/** One end of a sealed stream over `stream`. */
function sealed(stream: ByteStream, end: 0 | 1, rekeyInterval?: number): SealedStream {
  const outbound = new CipherState(KEYS[end]);
  const inbound = new CipherState(KEYS[1 - end as 0 | 1]);
  return new SealedStream({ stream, outbound, inbound, rekeyInterval });
}

/** Pieces that are written to a sealed stream, as they go over the wire. */
async function written(pieces: readonly Uint8Array[], rekeyInterval?: number): Promise<Uint8Array[]> {
  const stream = new FakeStream();
  const end = sealed(stream, 0, rekeyInterval);
  for (const piece of pieces) await end.write(piece);
  end.close();
  return stream.writes;
}

/** Reads what a sealed stream brings until it ends, in pieces of at most `size` bytes. */
async function readAll(stream: SealedStream, size = 1000): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const buffer = new Uint8Array(size);
  for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
    pieces.push(buffer.slice(0, count));
  }
  return concat(...pieces);
}

/** Opens bytes from the wire. @returns The bytes that come out, and the error that ended it. */
async function opened(wire: readonly Uint8Array[], rekeyInterval?: number): Promise<[Uint8Array, SealError | null]> {
  const stream = new FakeStream();
  stream.give(...wire);
  stream.end();
  const end = sealed(stream, 1, rekeyInterval);
  const pieces: Uint8Array[] = [];
  const buffer = new Uint8Array(70_000);
  try {
    for (let count = await end.read(buffer); count !== null; count = await end.read(buffer)) {
      pieces.push(buffer.slice(0, count));
    }
  } catch (error) {
    assert(error instanceof SealError, `${error}`);
    return [concat(...pieces), error];
  }
  return [concat(...pieces), null];
}

Deno.test("SealedStream brings what was written, whatever the sizes of writes, reads and pieces, through many keys", async () => {
  const random = seededRandom(7);
  for (let round = 0; round < 20; round++) {
    const pieces = Array.from(
      { length: random.int(20) },
      (_, at) => pattern(1 + random.int(random.pick([50, 5000])), at),
    );
    if (round % 5 === 0) pieces.push(pattern(RECORD_BYTES * 5 + 7, round), pattern(RECORD_BYTES, round));
    const rekeyInterval = 1 + random.int(5);
    const wire = concat(...await written(pieces, rekeyInterval));
    const stream = new FakeStream();
    for (let at = 0; at < wire.length;) stream.give(wire.subarray(at, at += 1 + random.int(random.pick([30, 90_000]))));
    stream.end();
    assertEquals(await readAll(sealed(stream, 1, rekeyInterval), 1 + random.int(9000)), concat(...pieces));
  }
});

Deno.test("SealedStream shows nothing of what it carries, and seals the same bytes differently each time", async () => {
  const secret = new TextEncoder().encode("attack at dawn, attack at dawn");
  const [first, second] = takeOf(await written([secret, secret]), 2);
  assertEquals(first.length, 2 + secret.length + 16);
  const text = new TextDecoder("latin1").decode(concat(first, second));
  assert(!text.includes("attack"));
  assert(first.some((byte, at) => byte !== second[at]));
});

Deno.test("SealedStream ends with a SealError when any bit was changed, and hands on nothing of that record or later ones", async () => {
  const pieces = [pattern(20, 1), pattern(40, 2), pattern(5, 3)];
  const wire = await written(pieces);
  const borders = [0, 38, 96, 119, 137];
  const whole = concat(...wire);
  assertEquals(whole.length, borders.at(-1));
  for (let at = 0; at < whole.length; at++) {
    const changed = whole.slice();
    flipBit(changed, at, at % 8);
    const [plain, error] = await opened([changed]);
    const intact = borders.findLastIndex((border) => border <= at);
    // What came before in the same read may or may not have been handed on.
    const before = concat(...pieces.slice(0, intact));
    assert(plain.length <= before.length, `byte ${at}`);
    assertEquals(plain, before.subarray(0, plain.length), `byte ${at}`);
    assert(error !== null, `byte ${at}`);
  }
});

Deno.test("SealedStream ends with a SealError when records are repeated, swapped, left out or sent back", async () => {
  const [one, two, three, end] = takeOf(await written([pattern(20, 1), pattern(20, 2), pattern(20, 3)]), 4);
  for (
    const wire of [[one, one, two, three, end], [two, one, three, end], [one, three, end], [one, two, three, three]]
  ) {
    const [plain, error] = await opened(wire as Uint8Array[]);
    assertEquals([error?.code, plain.length], [
      "forged",
      wire[0] === two ? 0 : wire[2] === three && wire[3] === three ? 60 : 20,
    ]);
  }
  // A record of this end's own.
  const stream = new FakeStream();
  stream.give(one);
  await assertRejects(() => sealed(stream, 0).read(new Uint8Array(100)), SealError, "it was changed on the way");
});

Deno.test("SealedStream tells an end from a stream that was cut off, wherever that was", async () => {
  const whole = concat(...await written([pattern(20, 1), pattern(20, 2)]));
  for (let length = 0; length < whole.length; length++) {
    const [plain, error] = await opened([whole.subarray(0, length)]);
    assertEquals(error?.code, "truncated", `${length} bytes`);
    assertEquals(plain.length, length < 38 ? 0 : length < 76 ? 20 : 40);
  }
  assertEquals((await opened([whole, pattern(50)]))[1], null);
});

Deno.test("SealedStream ends at once with a record that is too short to be one", async () => {
  for (const length of [0, 1, 15]) {
    const [, error] = await opened([concat(Uint8Array.of(0, length), pattern(40))]);
    assertEquals(error?.code, "forged");
  }
});

Deno.test("SealedStream says nothing more when it is closed in the middle of a write, or after it was deceived", async () => {
  const stream = new FakeStream();
  stream.holdWrites = true;
  const end = sealed(stream, 0);
  const writing = end.write(pattern(9));
  await assertRejects(() => end.write(pattern(9)), TypeError, "another write is waiting");
  end.close();
  await assertRejects(() => writing);
  assertEquals(stream.writes.length, 1);

  const deceived = new FakeStream();
  deceived.give(pattern(60));
  const other = sealed(deceived, 0);
  deceived.give(new Uint8Array(70_000));
  await assertRejects(() => other.read(new Uint8Array(9)), SealError);
  other.close();
  assertEquals([deceived.writes, deceived.closed], [[], true]);
});

Deno.test("SealedStream gives way to others while it seals much", async () => {
  const stream = new FakeStream();
  let turns = 0;
  const outbound = new CipherState(KEYS[0]);
  const giveWay = () => {
    turns++;
    return Promise.resolve();
  };
  const end = new SealedStream({ stream, outbound, inbound: new CipherState(KEYS[1]), giveWay });
  await end.write(new Uint8Array(RECORD_BYTES * 12));
  assertEquals([turns, stream.writes.length], [3, 4]);
  end.close();
});

Deno.test("SealedStream works over a network in memory, both ways at once", async () => {
  const [near, far] = await streamPair();
  const [a, b] = [sealed(near, 0, 3), sealed(far, 1, 3)];
  const up = pattern(300_000, 1);
  const down = pattern(200_000, 2);
  const upwards = readAll(b, 5000);
  const downwards = readAll(a, 70_000);
  await Promise.all([a.write(up), b.write(down)]);
  a.close();
  assertEquals(await upwards, up);
  b.close();
  await assertRejects(() => downwards, Error, "the stream is closed");
});
