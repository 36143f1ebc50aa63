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
