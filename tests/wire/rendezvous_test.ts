// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { type Candidate, rendezvous } from "../../wire/rendezvous.ts";

const KEYS = Array.from({ length: 20_000 }, (_, index) => `key-${index}`);

function nodes(count: number, weight = 1): Candidate[] {
  return Array.from({ length: count }, (_, index) => ({ name: `node-${index}`, weight }));
}

function owners(candidates: readonly Candidate[]): string[] {
  return KEYS.map((key) => rendezvous(key, candidates)[0]?.name ?? "");
}

Deno.test("rendezvous() spreads keys by weight", () => {
  const counts = new Map<string, number>();
  for (const owner of owners([...nodes(4), { name: "heavy", weight: 4 }])) {
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  for (const [name, count] of counts) {
    const expected = KEYS.length * (name === "heavy" ? 0.5 : 0.125);
    assert(Math.abs(count - expected) < 0.1 * expected, `${name} has ${count} keys, expected about ${expected}`);
  }
});

Deno.test("rendezvous() moves only the keys of a candidate that goes, or those that a new one wins", () => {
  const before = owners(nodes(10));
  const after = owners(nodes(9));
  const moved = KEYS.filter((_, index) => before[index] !== after[index]);
  assertEquals(moved, KEYS.filter((_, index) => before[index] === "node-9"));
  assert(moved.length < KEYS.length / 10 * 1.15);
});

Deno.test("rendezvous() ranks the same in any order, and gives the next best where the best is gone", () => {
  const all = nodes(12);
  for (const key of KEYS.slice(0, 200)) {
    const ranked = rendezvous(key, all, 12).map(({ name }) => name);
    assertEquals(new Set(ranked).size, 12);
    assertEquals(rendezvous(key, all.toReversed(), 3).map(({ name }) => name), ranked.slice(0, 3));
    const rest = all.filter(({ name }) => name !== ranked[0]);
    assertEquals(rendezvous(key, rest, 2).map(({ name }) => name), ranked.slice(1, 3));
  }
  assertEquals(rendezvous("key", []), []);
});
