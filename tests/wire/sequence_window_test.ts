// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { SequenceWindow } from "../../wire/sequence_window.ts";
import { forEachSeed } from "../seeded_random.ts";

Deno.test("SequenceWindow behaves like a set of numbers, for any order and any floor", () => {
  forEachSeed(300, (random) => {
    const limit = random.pick([64, 256, 1024]);
    const window = new SequenceWindow(limit);
    const model = new Set<number>();
    let floor = 0;
    const settleFloor = () => {
      while (model.has(floor + 1)) floor++;
    };
    for (let step = 0; step < 600; step++) {
      const sequence = Math.max(1, floor - 5 + random.int(random.pick([8, 70, limit + 5])));
      if (sequence - floor > limit && !model.has(sequence)) {
        assertThrows(() => window.add(sequence), RangeError, "Cannot add");
      } else {
        assertEquals(window.add(sequence), !model.has(sequence));
        model.add(sequence);
      }
      if (random.chance(0.02)) {
        const raised = floor + random.int(random.pick([10, 2 * limit]));
        window.raise(raised);
        for (let below = floor + 1; below <= raised; below++) model.add(below);
      }
      settleFloor();
      assertEquals(window.floor, floor);
      for (let probe = floor - 3; probe < floor + limit + 3; probe += 1 + random.int(40)) {
        assertEquals(window.has(probe), probe <= floor || model.has(probe), `number ${probe}`);
      }
    }
  });
});

Deno.test("SequenceWindow keeps its numbers while its ring grows", () => {
  const window = new SequenceWindow(1024);
  const ahead = [3, 64, 65, 130, 700, 1024];
  for (const sequence of ahead) assert(window.add(sequence));
  for (const sequence of ahead) assert(window.has(sequence));
  assertFalse(window.has(1));
  assertFalse(window.has(128));
  assertEquals(window.floor, 0);
});

Deno.test("SequenceWindow counts far beyond 32 bits", () => {
  const window = new SequenceWindow(64);
  const start = 2 ** 50;
  window.raise(start);
  assert(window.add(start + 2));
  assert(window.add(start + 1));
  assertEquals(window.floor, start + 2);
  assertFalse(window.add(start - 1));
});

Deno.test("SequenceWindow refuses a limit that is no power of two", () => {
  assertThrows(() => new SequenceWindow(100), RangeError, "Cannot make a window of 100");
});
