// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { compareDots, type Dot } from "../../membership/dot.ts";
import { forEachSeed } from "../seeded_random.ts";

Deno.test("compareDots() puts a later incarnation after an earlier one, whatever their counters", () => {
  const before = { actor: "a", incarnation: 1, counter: 9 };
  const after = { actor: "a", incarnation: 2, counter: 1 };
  assert(compareDots(before, after) < 0);
  assert(compareDots(after, before) > 0);
});

Deno.test("compareDots() is a total order in which only equal dots are equal", () => {
  forEachSeed(200, (random) => {
    const dot = (): Dot => ({ actor: random.pick(["a", "b"]), incarnation: random.int(3), counter: random.int(3) });
    const [a, b, c] = [dot(), dot(), dot()];
    assertEquals(Math.sign(compareDots(a, b)), -Math.sign(compareDots(b, a)) + 0);
    assertEquals(compareDots(a, b) === 0, JSON.stringify(a) === JSON.stringify(b));
    if (compareDots(a, b) <= 0 && compareDots(b, c) <= 0) assert(compareDots(a, c) <= 0);
  });
});
