// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ReceiveWindow, WINDOW_MAX_BYTES, WINDOW_START_BYTES } from "../../../messaging/streams/receive_window.ts";
import { SendCredit } from "../../../messaging/streams/send_credit.ts";
import { firstOf, present } from "../../values.ts";

const KIB = 1024;

/**
 * A writer that always has something to write, a network, and a reader that reads at once, in steps of virtual time.
 *
 * @param delay Milliseconds there and back.
 * @param rate Bytes per millisecond that the network carries.
 * @returns Sizes of the window, and the bytes of each step.
 */
function transfer(delay: number, rate: number, steps: number, growthMax = Infinity) {
  const window = new ReceiveWindow(WINDOW_START_BYTES);
  const credit = new SendCredit();
  credit.grant(window.limit);
  const grants: { at: number; limit: number }[] = [];
  const arriving: { at: number; bytes: number; wasHeld: boolean }[] = [];
  let free = 0;
  let read = 0;
  const sizes: number[] = [];
  const step = delay / 8;
  for (let i = 0; i < steps; i++) {
    const now = i * step;
    while (grants.length > 0 && firstOf(grants).at <= now) credit.grant(present(grants.shift()).limit);
    credit.want();
    for (let bytes = credit.chunkOf(Infinity); bytes > 0; bytes = credit.chunkOf(Infinity)) {
      const wasHeld = credit.send(bytes);
      free = Math.max(free, now) + bytes / rate;
      arriving.push({ at: free + delay / 2, bytes, wasHeld });
    }
    credit.want();
    while (arriving.length > 0 && firstOf(arriving).at <= now) {
      const { bytes, wasHeld } = present(arriving.shift());
      window.receive(bytes, now, wasHeld);
      read += bytes;
      if (window.read(bytes, now, growthMax)) grants.push({ at: now + delay / 2, limit: window.limit });
    }
    sizes.push(window.bytes);
  }
  return { sizes, last: window.bytes, rate: read / (steps * step) };
}

Deno.test("a window grows to what the network holds, and not far beyond", () => {
  for (const [delay, rate] of [[50, 100 * KIB], [5, 500 * KIB], [100, 20 * KIB]] as const) {
    const product = delay * rate;
    const { last, rate: reached } = transfer(delay, rate, 4_000);
    assert(last >= product && last <= 4 * product, `${last / product} × bandwidth × delay`);
    assert(reached >= 0.9 * rate, `${reached / rate} of the network are used`);
  }
});

Deno.test("a window stays small where the network holds little, and has bounds", () => {
  assert(transfer(0.1, 100 * KIB, 20_000).last <= 1_024 * KIB);
  assertEquals(transfer(1_000, 1_000 * KIB, 4_000).last, WINDOW_MAX_BYTES);
  assertEquals(transfer(50, 100 * KIB, 4_000, 0).last, WINDOW_START_BYTES);
});

Deno.test("a window of a slow writer does not grow, however long its bytes take", () => {
  const window = new ReceiveWindow(WINDOW_START_BYTES);
  for (let i = 0; i < 10_000; i++) {
    window.receive(KIB, i * 1_000, false);
    window.read(KIB, i * 1_000, Infinity);
  }
  assertEquals(window.bytes, WINDOW_START_BYTES);
});

Deno.test("credit follows the reader, half a window at a time, and what was granted is a bound", () => {
  const window = new ReceiveWindow(256 * KIB);
  assertEquals([window.limit, window.allows(256 * KIB), window.allows(256 * KIB + 1)], [256 * KIB, true, false]);
  window.receive(256 * KIB, 0, false);
  assertThrows(() => window.receive(1, 0, false), RangeError);
  assertEquals(window.read(127 * KIB, 0, 0), false);
  assertEquals(window.read(1 * KIB, 0, 0), true);
  assertEquals(window.limit, 384 * KIB);
});

Deno.test("a sender cuts chunks of a quarter of the window, 16 to 64 KiB, and no more than its credit", () => {
  const credit = new SendCredit();
  assertEquals(credit.chunkOf(100), 0);
  assertThrows(() => credit.send(1), RangeError);
  credit.grant(20 * KIB);
  assertEquals([credit.chunkOf(100), credit.chunkOf(100 * KIB)], [100, 16 * KIB]);
  credit.grant(192 * KIB);
  assertEquals(credit.chunkOf(1e9), 48 * KIB);
  credit.grant(100);
  assertEquals(credit.available, 192 * KIB);
  credit.grant(16 * KIB * KIB);
  assertEquals(credit.chunkOf(1e9), 64 * KIB);
  assertEquals(credit.send(64 * KIB), false);
  assertEquals(credit.sent, 64 * KIB);
});
