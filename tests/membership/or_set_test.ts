// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { actorContext } from "../../membership/causal_context.ts";
import { OrSet, type OrSetChange } from "../../membership/or_set.ts";
import { forEachSeed, type SeededRandom } from "../seeded_random.ts";
import { entryOf, firstOf, nthOf, present } from "../values.ts";

type Numbers = OrSet<string, number>;
const KEYS = ["x", "y", "z"];

/** A replicated set as the definition has it: every dot ever seen, written out, and which of them are there. */
interface Model {
  readonly live: ReadonlyMap<string, { readonly key: string; readonly value: number }>;
  readonly seen: ReadonlySet<string>;
}

const EMPTY_MODEL: Model = { live: new Map(), seen: new Set() };

/** `a.2.7` is seen when it, or all of incarnation 2 of a, is. */
function hasSeen({ seen }: Model, dot: string): boolean {
  return seen.has(dot) || seen.has(dot.replace(/\d+$/, "*"));
}

function mergeModels(a: Model, b: Model): Model {
  const kept = [...a.live].filter(([dot]) => b.live.has(dot) || !hasSeen(b, dot));
  const gained = [...b.live].filter(([dot]) => a.live.has(dot) || !hasSeen(a, dot));
  return { live: new Map([...kept, ...gained]), seen: a.seen.union(b.seen) };
}

/** Seeing a dot is seeing all that the earlier incarnations of its actor did. */
function modelOf(live: Model["live"], dots: Iterable<string>): Model {
  const seen = new Set<string>();
  for (const dot of dots) {
    const [actor, incarnation] = dot.split(".");
    seen.add(dot);
    for (let earlier = 0; earlier < Number(incarnation); earlier++) seen.add(`${actor}.${earlier}.*`);
  }
  return { live, seen };
}

function dotsOfKey({ live }: Model, key: string): string[] {
  return [...live].filter(([, item]) => item.key === key).map(([dot]) => dot);
}

interface Replica {
  readonly actor: string;
  incarnation: number;
  set: Numbers;
  model: Model;
}

/** Some replicas with a random past: additions, removals, restarts with and without what they had, merges old and new. */
class History {
  readonly replicas: Replica[] = ["a", "b", "c"].map((actor) => ({
    actor,
    incarnation: 0,
    set: OrSet.empty(),
    model: EMPTY_MODEL,
  }));
  /** Every state and every delta that there ever was, any of which may still be on its way. */
  readonly sent: { readonly set: Numbers; readonly model: Model }[] = [{ set: OrSet.empty(), model: EMPTY_MODEL }];
  readonly deltas: Numbers[] = [];
  readonly minted = new Set<string>();
  readonly #random: SeededRandom;

  constructor(random: SeededRandom, steps: number) {
    this.#random = random;
    for (let step = 0; step < steps; step++) this.#step();
  }

  #step(): void {
    const replica = this.#random.pick(this.replicas);
    const roll = this.#random.next();
    if (roll < 0.35) this.#add(replica);
    else if (roll < 0.5) this.#remove(replica);
    else if (roll < 0.9) {
      const { set, model } = this.#random.pick(this.sent);
      this.#become(replica, replica.set.merge(set), mergeModels(replica.model, model));
    } else this.#restart(replica);
  }

  #add(replica: Replica): void {
    const { actor, incarnation } = replica;
    const key = this.#random.pick(KEYS);
    const value = this.#random.int(100);
    const { set, delta } = replica.set.add({ actor, incarnation }, key, value);
    const { counter } = firstOf(entryOf(delta.records, actor).live);
    const dot = `${actor}.${incarnation}.${counter}`;
    assert(!this.minted.has(dot), `${dot} was minted twice`);
    this.minted.add(dot);
    const change = modelOf(new Map([[dot, { key, value }]]), [dot, ...dotsOfKey(replica.model, key)]);
    this.#changed(replica, set, delta, change);
  }

  #remove(replica: Replica): void {
    const key = this.#random.pick(KEYS);
    const { set, delta } = replica.set.remove(key);
    this.#changed(replica, set, delta, modelOf(new Map(), dotsOfKey(replica.model, key)));
  }

  /** Comes back with nothing, or with any state that it once had. */
  #restart(replica: Replica): void {
    replica.incarnation += 1;
    const { set, model } = this.#random.chance(0.5) ? this.#random.pick(this.sent) : firstOf(this.sent);
    replica.set = set;
    replica.model = model;
  }

  #changed(replica: Replica, set: Numbers, delta: Numbers, change: Model): void {
    this.deltas.push(delta);
    this.sent.push({ set: delta, model: change });
    this.#become(replica, set, mergeModels(replica.model, change));
  }

  #become(replica: Replica, set: Numbers, model: Model): void {
    replica.set = set;
    replica.model = model;
    this.sent.push({ set, model });
  }
}

/** All that can be said of a set. */
function contentOf(set: Numbers): unknown {
  return set.records.keys.map((actor) => [actor, set.records.get(actor)]);
}

function mergeAll(sets: readonly Numbers[]): Numbers {
  return sets.reduce((merged, set) => merged.merge(set), OrSet.empty<string, number>());
}

Deno.test("OrSet does what its definition says, over any history", () => {
  forEachSeed(300, (random) => {
    for (const { set, model } of new History(random, 40).replicas) {
      for (const key of KEYS) {
        const expected = dotsOfKey(model, key).map((dot) => entryOf(model.live, dot).value);
        assertEquals(set.getAll(key).sort(), expected.sort());
        assertEquals(set.has(key), expected.length > 0);
      }
      assertEquals(new Set(set.keys()), new Set([...model.live.values()].map(({ key }) => key)));
    }
  });
});

Deno.test("OrSet.merge() is idempotent, commutative and associative", () => {
  forEachSeed(300, (random) => {
    const { sent } = new History(random, 30);
    const [a, b, c] = [random.pick(sent).set, random.pick(sent).set, random.pick(sent).set];
    assertStrictEquals(a.merge(a), a);
    assertEquals(contentOf(a.merge(b)), contentOf(b.merge(a)));
    assertEquals(contentOf(a.merge(b).merge(c)), contentOf(a.merge(b.merge(c))));
  });
});

Deno.test("OrSet.merge() returns the set itself when the other one has no news", () => {
  forEachSeed(300, (random) => {
    const { sent } = new History(random, 30);
    const [a, b] = [random.pick(sent).set, random.pick(sent).set];
    const merged = a.merge(b);
    assertStrictEquals(merged.merge(a), merged);
    assertStrictEquals(merged.merge(b), merged);
    assertStrictEquals(merged.merge(OrSet.empty()), merged);
  });
});

Deno.test("OrSet.merge(): an addition wins over a removal that had not seen it", () => {
  forEachSeed(200, (random) => {
    const { replicas } = new History(random, 20);
    const [adder, remover] = random.shuffle(replicas) as [Replica, Replica];
    const key = random.pick(KEYS);
    adder.incarnation += 1;
    const added = adder.set.add(adder, key, -1);
    const removed = remover.set.remove(key);
    assert(removed.set.merge(added.delta).getAll(key).includes(-1));
    assert(added.set.merge(removed.delta).getAll(key).includes(-1));
  });
});

Deno.test("OrSet.merge(): a removal undoes all additions that it had seen, in any stale state that comes later", () => {
  forEachSeed(200, (random) => {
    const { replicas, sent } = new History(random, 30);
    const replica = firstOf(replicas);
    const known = new Set(replica.set.getAll("x"));
    const { set } = replica.set.remove("x");
    assertEquals(set.has("x"), false);
    assertEquals(known.size === 0 || set.merge(replica.set).has("x"), known.size === 0);
    const dots = new Set(dotsOfKey(replica.model, "x"));
    for (const stale of sent) {
      const after = set.merge(stale.set);
      const unseen = dotsOfKey(stale.model, "x").filter((dot) => !dots.has(dot) && !hasSeen(replica.model, dot));
      assertEquals(after.has("x"), unseen.length > 0);
    }
  });
});

Deno.test("OrSet: merging all deltas, in any order and some twice, is merging all states", () => {
  forEachSeed(200, (random) => {
    const { sent, deltas } = new History(random, 40);
    const arrivals = random.shuffle([...deltas, ...deltas.filter(() => random.chance(0.3))]);
    assertEquals(contentOf(mergeAll(arrivals)), contentOf(mergeAll(sent.map(({ set }) => set))));
  });
});

/** One random addition or removal at one of three sets: which set it was, and what it gave. */
function randomChange(
  random: SeededRandom,
  sets: readonly Numbers[],
): { readonly at: number } & OrSetChange<string, number> {
  const at = random.int(sets.length);
  const key = random.pick(KEYS);
  const author = { actor: `${at}`, incarnation: 1 };
  return {
    at,
    ...random.chance(0.6) ? nthOf(sets, at).add(author, key, random.int(100)) : nthOf(sets, at).remove(key),
  };
}

Deno.test("OrSet: a run that sends deltas is, step by step, the run that sends whole states", () => {
  forEachSeed(200, (random) => {
    let sets = ["0", "1", "2"].map(() => OrSet.empty<string, number>());
    for (let step = 0; step < 30; step++) {
      const { at, set, delta } = randomChange(random, sets);
      const reached = sets.map((_, index) => index === at || random.chance(0.7));
      const byState = sets.map((other, index) => reached[index] ? other.merge(set) : other);
      const byDelta = sets.map((other, index) => reached[index] ? other.merge(delta) : other);
      // A state brings along what was lost before, a delta does not: once that is made good, they are the same.
      const before = nthOf(sets, at);
      assertEquals(
        byDelta.map((other) => contentOf(other.merge(before))),
        byState.map((other) => contentOf(other.merge(before))),
      );
      sets = byDelta;
    }
  });
});

Deno.test("OrSet: whatever deltas were lost, late or doubled, exchanging states brings all to the same end", () => {
  forEachSeed(200, (random) => {
    const sets = ["0", "1", "2"].map(() => OrSet.empty<string, number>());
    const deltas: Numbers[] = [];
    for (let step = 0; step < 40; step++) {
      const { at, set, delta } = randomChange(random, sets);
      sets[at] = set;
      deltas.push(delta);
      for (let arrivals = random.int(4); arrivals > 0; arrivals--) {
        const to = random.int(sets.length);
        sets[to] = present(sets[to]).merge(random.pick(deltas));
      }
    }
    assertEquals(contentOf(mergeAll(sets)), contentOf(mergeAll(random.shuffle(deltas))));
  });
});

Deno.test("OrSet never mints a dot twice, over restarts with and without what was known", () => {
  forEachSeed(300, (random) => {
    assert(new History(random, 60).minted.size > 0);
  });
});

Deno.test("OrSet.add() retires all that earlier incarnations of its author added", () => {
  const first = OrSet.empty<string, number>().add({ actor: "a", incarnation: 1 }, "x", 1).set;
  const second = first.add({ actor: "a", incarnation: 2 }, "y", 2).set;
  assertEquals([...second.keys()], ["y"]);
  assertStrictEquals(second.merge(first), second);
});

Deno.test("OrSet.add() refuses an incarnation that is history", () => {
  const { set } = OrSet.empty<string, number>().add({ actor: "a", incarnation: 2 }, "x", 1);
  assertThrows(
    () => set.add({ actor: "a", incarnation: 1 }, "y", 1),
    RangeError,
    'Cannot add as incarnation 1 of "a": incarnation 2 is known',
  );
});

Deno.test("OrSet.get() is the value of the greatest dot, getAll() has all that were added at the same time", () => {
  const atA = OrSet.empty<string, number>().add({ actor: "a", incarnation: 1 }, "x", 1).set;
  const atB = OrSet.empty<string, number>().add({ actor: "b", incarnation: 1 }, "x", 2).set;
  const merged = atB.merge(atA);
  assertEquals([merged.get("x"), merged.getAll("x"), merged.get("y")], [2, [1, 2], undefined]);
  const settled = merged.add({ actor: "a", incarnation: 1 }, "x", 3).set;
  assertEquals(settled.getAll("x"), [3]);
});

Deno.test("OrSet.only() is a part that can be merged anywhere", () => {
  forEachSeed(100, (random) => {
    const { sent } = new History(random, 30);
    const [a, b] = [random.pick(sent).set, random.pick(sent).set];
    const actors = ["a", "b", "c", "d"].filter(() => random.chance(0.5));
    const part = a.only(actors);
    assertEquals(part.records.keys, actors.filter((actor) => a.records.has(actor)));
    assertStrictEquals(a.merge(part), a);
    assertEquals(contentOf(b.merge(part).merge(a)), contentOf(b.merge(a)));
  });
});

Deno.test("OrSet.forget() leaves nothing of an actor", () => {
  const { set } = OrSet.empty<string, number>().add({ actor: "a", incarnation: 1 }, "x", 1);
  assertEquals(contentOf(set.forget("a")), []);
  assertStrictEquals(set.forget("b"), set);
});

Deno.test("OrSet.from() refuses an item that its context has not seen", () => {
  const live = [{ counter: 2, key: "x", value: 1 }];
  assertEquals(OrSet.from([["a", { context: actorContext(1, [1, 2]), live }]]).get("x"), 1);
  assertThrows(
    () => OrSet.from([["a", { context: actorContext(1, [1]), live }]]),
    RangeError,
    'Cannot make a set: addition 2 of "a" is outside of its context',
  );
});

Deno.test("OrSet: a context does not grow with additions and removals that every node saw", () => {
  let set = OrSet.empty<string, number>();
  for (let cycle = 0; cycle < 1_000; cycle++) {
    set = set.add({ actor: "a", incarnation: 1 }, "x", cycle).set.remove("x").set;
  }
  assertEquals(contentOf(set), [["a", {
    context: actorContext(1, Array.from({ length: 1_000 }, (_, i) => i + 1)),
    live: [],
  }]]);
  assertEquals(set.records.get("a")?.context, { incarnation: 1, contiguous: 1_000, cloud: [] });
});
