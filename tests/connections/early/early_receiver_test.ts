// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { EarlyReceiver } from "../../../connections/early/early_receiver.ts";
import { EARLY_WINDOW_BYTES } from "../../../connections/early/early_sender.ts";
import { seededRandom } from "../../seeded_random.ts";
import { pattern } from "../fake_stream.ts";

function readAll(receiver: EarlyReceiver): number[] {
  const read: number[] = [];
  const buffer = new Uint8Array(100);
  while (receiver.hasBytes) read.push(...buffer.subarray(0, receiver.read(buffer)));
  return read;
}

Deno.test("EarlyReceiver puts pieces in order, whatever their order, overlaps and repetitions", () => {
  const random = seededRandom(1);
  const bytes = pattern(5_000);
  for (let round = 0; round < 20; round++) {
    const receiver = new EarlyReceiver();
    const pieces = Array.from({ length: 300 }, () => [random.int(5_000), 1 + random.int(60)] as const);
    const whole = Array.from({ length: 100 }, (_, at) => [50 * at, 50] as const);
    for (const [at, length] of random.shuffle([...pieces, ...whole])) {
      assert(receiver.add(at, bytes.subarray(at, at + length)));
    }
    assertEquals(receiver.received, 5_000);
    assertEquals(readAll(receiver), [...bytes]);
  }
});

Deno.test("EarlyReceiver takes a bounded number of pieces before their turn, however short they are", () => {
  for (const length of [0, 1]) {
    const receiver = new EarlyReceiver();
    const isTaken = (at: number) => receiver.add(at, new Uint8Array(length));
    for (let piece = 0; piece < 4_096; piece++) assert(isTaken(EARLY_WINDOW_BYTES - 2 * piece - 2));
    assertFalse(isTaken(1));
  }
});

Deno.test("EarlyReceiver takes thousands of pieces whose turn comes at once", () => {
  const receiver = new EarlyReceiver();
  for (let at = 4_000; at > 0; at--) assert(receiver.add(at, Uint8Array.of(at)));
  assert(receiver.add(0, Uint8Array.of(7)));
  assertEquals(readAll(receiver).length, 4_001);
});

Deno.test("EarlyReceiver keeps copies: the buffer of a frame is used again", () => {
  const receiver = new EarlyReceiver();
  const buffer = Uint8Array.of(3, 4);
  receiver.add(2, buffer);
  buffer.set([1, 2]);
  receiver.add(0, buffer);
  buffer.fill(9);
  assertEquals(readAll(receiver), [1, 2, 3, 4]);
});

Deno.test("EarlyReceiver takes a window beyond what was read, and no more", () => {
  const receiver = new EarlyReceiver();
  assertFalse(receiver.add(0, new Uint8Array(EARLY_WINDOW_BYTES + 1)));
  assert(receiver.add(0, new Uint8Array(EARLY_WINDOW_BYTES)));
  assertFalse(receiver.add(EARLY_WINDOW_BYTES, Uint8Array.of(1)));
  receiver.read(new Uint8Array(2));
  assert(receiver.add(EARLY_WINDOW_BYTES, Uint8Array.of(1, 2)));
  assertFalse(receiver.add(EARLY_WINDOW_BYTES + 2, Uint8Array.of(1)));
  // What was read already may come again.
  assert(receiver.add(0, new Uint8Array(2)));
  assertEquals(receiver.received, EARLY_WINDOW_BYTES + 2);
});

Deno.test("EarlyReceiver keeps a window of what came before its turn, pieces that overlap counted each", () => {
  const most = new Uint8Array(EARLY_WINDOW_BYTES / 2);
  const receiver = new EarlyReceiver();
  // A longer piece at the same position takes the place of the shorter one.
  for (let length = 1; length < 300; length++) assert(receiver.add(1, most.subarray(0, length)));
  assert(receiver.add(1, most));
  assert(receiver.add(2, most));
  assertFalse(receiver.add(3, Uint8Array.of(1)));
});

Deno.test("EarlyReceiver has room again for what comes before its turn once the turn has come", () => {
  const receiver = new EarlyReceiver();
  const piece = new Uint8Array(EARLY_WINDOW_BYTES - 1);
  for (let round = 0; round < 3; round++) {
    assert(receiver.add(round * EARLY_WINDOW_BYTES + 1, piece));
    assert(receiver.add(round * EARLY_WINDOW_BYTES, Uint8Array.of(1)));
    readAll(receiver);
  }
  assertEquals(receiver.taken, 3 * EARLY_WINDOW_BYTES);
});

Deno.test("EarlyReceiver has news when half a window was read since it told", () => {
  const receiver = new EarlyReceiver();
  const half = EARLY_WINDOW_BYTES / 2;
  assert(receiver.add(0, new Uint8Array(half + 1)));
  receiver.read(new Uint8Array(half - 1));
  assertFalse(receiver.hasNews);
  receiver.read(new Uint8Array(1));
  assert(receiver.hasNews);
  receiver.told();
  assertFalse(receiver.hasNews);
  assert(receiver.add(half + 1, new Uint8Array(half - 1)));
  readAll(receiver);
  assert(receiver.hasNews);
});

Deno.test("EarlyReceiver has taken the word that the other end has moved once nothing is left to read", () => {
  const empty = new EarlyReceiver();
  empty.takeMoved();
  assertEquals([empty.received, empty.taken], [1, 1]);
  const receiver = new EarlyReceiver();
  receiver.add(0, Uint8Array.of(1, 2));
  receiver.takeMoved();
  assertEquals([receiver.received, receiver.taken], [3, 0]);
  receiver.read(new Uint8Array(1));
  assertEquals(receiver.taken, 1);
  receiver.read(new Uint8Array(1));
  assertEquals(receiver.taken, 3);
});

/** Stands for bytes of a length that no machine has to hold. */
function vast(length: number): Uint8Array {
  const bytes = { length, slice: () => bytes, subarray: () => bytes, set: () => {} };
  return bytes as object as Uint8Array;
}

Deno.test("EarlyReceiver counts positions in 32 bits, and goes on from 0", () => {
  const receiver = new EarlyReceiver();
  const half = 2 ** 31;
  for (const at of [0, half]) {
    assert(receiver.add(at, vast(half)));
    receiver.read(vast(half));
  }
  assertEquals([receiver.received, receiver.taken], [0, 0]);
  assert(receiver.add(2, Uint8Array.of(3)));
  assert(receiver.add(2 ** 32 - 3, Uint8Array.of(0, 0, 0, 1, 2)));
  assertEquals([readAll(receiver), receiver.received, receiver.taken], [[1, 2, 3], 3, 3]);
});
