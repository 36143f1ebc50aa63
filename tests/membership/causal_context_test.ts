// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type ActorContext,
  actorContext,
  covers,
  includesContext,
  joinContexts,
  nextCounter,
} from "../../membership/causal_context.ts";
import { forEachSeed, type SeededRandom } from "../seeded_random.ts";

const INCARNATIONS = [1, 2, 3];
const COUNTERS = [1, 2, 3, 4, 5, 6, 7, 8];

function anyContext(random: SeededRandom): ActorContext {
  return actorContext(random.pick(INCARNATIONS), COUNTERS.filter(() => random.chance(0.5)));
}

/** The set of dots that a context stands for, written out. */
function dotsOf(context: ActorContext): string[] {
  return INCARNATIONS.flatMap((incarnation) =>
    COUNTERS.filter((counter) => covers(context, incarnation, counter)).map((counter) => `${incarnation}.${counter}`)
  );
}

Deno.test("actorContext() moves what is contiguous out of the cloud", () => {
  assertEquals(actorContext(1, [2, 1, 3, 7, 5, 5]), { incarnation: 1, contiguous: 3, cloud: [5, 7] });
  assertEquals(actorContext(1, []), { incarnation: 1, contiguous: 0, cloud: [] });
});

Deno.test("covers() is true for every dot of an earlier incarnation and none of a later one", () => {
  const context = actorContext(5, [1, 3]);
  assert(covers(context, 4, 1_000_000));
  assert(!covers(context, 6, 1));
  assertEquals([1, 2, 3, 4].map((counter) => covers(context, 5, counter)), [true, false, true, false]);
});

Deno.test("joinContexts() is the union of the two sets of dots, in one form only", () => {
  forEachSeed(500, (random) => {
    const [a, b] = [anyContext(random), anyContext(random)];
    const joined = joinContexts(a, b);
    assertEquals(new Set(dotsOf(joined)), new Set(dotsOf(a)).union(new Set(dotsOf(b))));
    assertEquals(joinContexts(b, a), joined);
    const seen = COUNTERS.filter((counter) => covers(joined, joined.incarnation, counter));
    assertEquals(joined, actorContext(joined.incarnation, seen));
  });
});

Deno.test("joinContexts() returns the first one itself when the second adds nothing", () => {
  forEachSeed(200, (random) => {
    const [a, b] = [anyContext(random), anyContext(random)];
    const joined = joinContexts(a, b);
    assertStrictEquals(joinContexts(joined, a), joined);
    assertStrictEquals(joinContexts(joined, b), joined);
  });
});

Deno.test("includesContext() is set inclusion", () => {
  forEachSeed(500, (random) => {
    const [a, b] = [anyContext(random), anyContext(random)];
    assertEquals(includesContext(a, b), new Set(dotsOf(b)).isSubsetOf(new Set(dotsOf(a))));
  });
});

Deno.test("nextCounter() is above everything seen in that incarnation, and 1 in a new one", () => {
  assertEquals(nextCounter(undefined, 1), 1);
  assertEquals(nextCounter(actorContext(1, [1, 2]), 1), 3);
  assertEquals(nextCounter(actorContext(1, [1, 4]), 1), 5);
  assertEquals(nextCounter(actorContext(1, [1, 4]), 2), 1);
});
