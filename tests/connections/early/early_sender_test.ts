// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { EARLY_WINDOW_BYTES, EarlySender } from "../../../connections/early/early_sender.ts";

Deno.test("EarlySender keeps a copy of what it sends until the other end has taken all of it", () => {
  const sender = new EarlySender();
  const bytes = Uint8Array.of(1, 2, 3);
  assertEquals(sender.add(bytes), { position: 0, bytes: Uint8Array.of(1, 2, 3) });
  bytes.fill(9);
  sender.add(Uint8Array.of(4, 5));
  const [first, second] = [
    { position: 0, bytes: Uint8Array.of(1, 2, 3) },
    { position: 3, bytes: Uint8Array.of(4, 5) },
  ];
  assertEquals([sender.position, sender.room], [5, EARLY_WINDOW_BYTES - 5]);
  assertEquals(sender.pieces, [first, second]);
  assert(sender.take(2));
  assertEquals([sender.pieces, sender.room], [[first, second], EARLY_WINDOW_BYTES - 3]);
  assert(sender.take(3));
  assertEquals(sender.pieces, [second]);
  // What was said over a former carrier may come later.
  assert(sender.take(1));
  assertEquals([sender.pieces, sender.room], [[second], EARLY_WINDOW_BYTES - 2]);
  assert(sender.take(5));
  assertEquals([sender.pieces, sender.room], [[], EARLY_WINDOW_BYTES]);
});

Deno.test("EarlySender believes that its word of having moved was taken once it has said it, and nothing beyond", () => {
  const sender = new EarlySender();
  sender.add(new Uint8Array(3));
  assertFalse(sender.take(4));
  sender.end();
  assert(sender.take(3));
  assertFalse(sender.hasTaken(3));
  assert(sender.hasTaken(2));
  assertFalse(sender.take(5));
  assert(sender.take(4));
  assert(sender.hasTaken(3));
});

/** Stands for bytes of a length that no machine has to hold. */
function vast(length: number): Uint8Array {
  const bytes = { length, slice: () => bytes };
  return bytes as object as Uint8Array;
}

Deno.test("EarlySender counts positions in 32 bits, and goes on from 0", () => {
  const sender = new EarlySender();
  for (let half = 0; half < 2; half++) {
    sender.add(vast(2 ** 31 - 1));
    assert(sender.take(sender.position));
  }
  sender.add(new Uint8Array(5));
  assertEquals([sender.position, sender.room], [3, EARLY_WINDOW_BYTES - 5]);
  assertEquals(sender.pieces.map(({ position }) => position), [2 ** 32 - 2]);
  assert(sender.take(1));
  assertEquals([sender.pieces.length, sender.room], [1, EARLY_WINDOW_BYTES - 2]);
  assertFalse(sender.take(4));
  assert(sender.take(3));
  assertEquals(sender.pieces, []);
  assert(sender.hasTaken(2 ** 32 - 1));
  assertFalse(sender.hasTaken(3));
});
