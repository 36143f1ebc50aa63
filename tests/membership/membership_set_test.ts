// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { MembershipSet } from "../../membership/membership_set.ts";
import { membershipToValue } from "../../membership/membership_value.ts";
import { memberSince, type NodeSpec } from "../../wire/node_spec.ts";
import { nodeSpec } from "../node_spec.ts";
import { forEachSeed, type SeededRandom } from "../seeded_random.ts";

function names(set: MembershipSet): string[] {
  return set.members.map(({ name }) => name);
}

function setOf(...members: [name: string, incarnation: number][]): MembershipSet {
  return members.reduce((set, [name, incarnation]) => set.add(nodeSpec(name, incarnation)).set, MembershipSet.empty());
}

/**
 * States and deltas of a cluster in which nodes come, go, and come back in newer incarnations, of which some go on with the last one; any may arrive at
 * any time.
 */
function randomPast(random: SeededRandom, steps: number): MembershipSet[] {
  const sent = [MembershipSet.empty()];
  const incarnations = new Map<string, NodeSpec>();
  for (let step = 0; step < steps; step++) {
    const name = random.pick(["a", "b", "c", "d"]);
    const at = random.pick(sent);
    if (random.chance(0.4)) {
      const last = incarnations.get(name);
      const incarnation = nodeSpec(
        name,
        (last?.incarnation ?? 0) + 1,
        last !== undefined && random.chance(0.5) ? { since: memberSince(last) } : {},
      );
      incarnations.set(name, incarnation);
      const { set, delta } = at.add(incarnation);
      sent.push(set, delta);
    } else if (random.chance(0.5)) {
      const { set, delta } = at.leave(name);
      sent.push(set, delta);
    } else {
      sent.push(at.merge(random.pick(sent)));
    }
  }
  return sent;
}

Deno.test("MembershipSet.members are sorted by name, one entry a name, the newest incarnation", () => {
  const set = setOf(["c", 1], ["a", 1], ["b", 3], ["a", 2]);
  assertEquals(set.members.map(({ name, incarnation }) => [name, incarnation]), [["a", 2], ["b", 3], ["c", 1]]);
  assertStrictEquals(set.members, set.members);
});

Deno.test("MembershipSet.add() replaces what a node said before in the same incarnation", () => {
  const { set } = setOf(["a", 1]).add(nodeSpec("a", 1, { metadata: { zone: "eu-1" } }));
  assertEquals(set.members, [nodeSpec("a", 1, { metadata: { zone: "eu-1" } })]);
  assertEquals(set.newest("a"), { actor: "a", incarnation: 1, counter: 2 });
});

Deno.test("MembershipSet.add() refuses an incarnation that is over", () => {
  assertThrows(() => setOf(["a", 2]).add(nodeSpec("a", 1)), RangeError, "incarnation 2 is known");
});

Deno.test("MembershipSet: whichever incarnation of a name arrives first, the newest one stays", () => {
  const old = setOf(["a", 1]);
  const young = MembershipSet.empty().add(nodeSpec("a", 2, { addresses: [] })).set;
  assertEquals(old.merge(young).members, young.members);
  assertStrictEquals(young.merge(old), young);
});

Deno.test("MembershipSet.merge() is idempotent, commutative and associative, and the set itself without news", () => {
  forEachSeed(300, (random) => {
    const sent = randomPast(random, 30);
    const [a, b, c] = [random.pick(sent), random.pick(sent), random.pick(sent)];
    const ab = a.merge(b);
    assertStrictEquals(ab.merge(a), ab);
    assertStrictEquals(ab.merge(b), ab);
    assertEquals(membershipToValue(ab), membershipToValue(b.merge(a)));
    assertEquals(membershipToValue(ab.merge(c)), membershipToValue(a.merge(b.merge(c))));
  });
});

Deno.test("MembershipSet: an incarnation that was removed never comes back from any stale state", () => {
  forEachSeed(200, (random) => {
    const sent = randomPast(random, 40);
    const name = random.pick(["a", "b", "c", "d"]);
    const known = random.pick(sent);
    const last = known.newest(name);
    let { set } = known.leave(name);
    for (const stale of random.shuffle(sent)) {
      set = set.merge(stale);
      const back = set.get(name);
      if (back !== undefined) assert(last === undefined || memberSince(back) > last.incarnation);
    }
  });
});

Deno.test("MembershipSet.merge(): a node that comes back while others remove its former incarnation stays", () => {
  const before = setOf(["a", 1], ["b", 1]);
  const removal = before.leave("b").delta;
  const comeback = before.add(nodeSpec("b", 2)).delta;
  assertEquals(names(before.merge(removal).merge(comeback)), ["a", "b"]);
  assertEquals(names(before.merge(comeback).merge(removal)), ["a", "b"]);
});

Deno.test("MembershipSet.merge(): an incarnation that goes on with a removed one is removed, whichever of the two is heard of first", () => {
  const before = setOf(["a", 1], ["b", 3]);
  const removal = before.leave("b").delta;
  const comeback = before.add(nodeSpec("b", 5, { since: 2 })).delta;
  for (const set of [before.merge(removal).merge(comeback), before.merge(comeback).merge(removal)]) {
    assertEquals(names(set), ["a"]);
    assertEquals(set.newest("b")?.incarnation, 5);
    assertStrictEquals(set.merge(comeback), set);
    assertStrictEquals(set.merge(removal), set);
    assertEquals(names(set.merge(before.add(nodeSpec("b", 6, { since: 2 })).delta)), ["a"]);
    assertEquals(names(set.merge(before.add(nodeSpec("b", 7)).delta)), ["a", "b"]);
  }
});

Deno.test("MembershipSet.merge(): a membership that began after the removal stays", () => {
  const removal = setOf(["b", 3]).leave("b").delta;
  const later = setOf(["a", 1]).add(nodeSpec("b", 5, { since: 4 })).set;
  assertEquals(names(later.merge(removal)), ["a", "b"]);
  assertEquals(names(removal.merge(later)), ["a", "b"]);
});

Deno.test("MembershipSet.leave() of a name that is not there changes nothing", () => {
  const set = setOf(["a", 1]);
  assertStrictEquals(set.leave("b").set, set);
  assertEquals(set.leave("b").delta.names, []);
});

Deno.test("MembershipSet.digest() is the same for the same members, whatever is known of absent names", () => {
  const set = setOf(["a", 1], ["b", 1]);
  const other = setOf(["b", 1], ["a", 1], ["c", 7]).leave("c").set;
  assertEquals(other.digest(), set.digest());
  assertEquals(other.forget("c").digest(), set.digest());
  assertNotEquals(set.add(nodeSpec("a", 1)).set.digest(), set.digest());
  assertNotEquals(set.add(nodeSpec("a", 2)).set.digest(), set.digest());
  assertNotEquals(set.leave("a").set.digest(), set.digest());
  assertNotEquals(MembershipSet.empty().digest(), set.digest());
});

Deno.test("MembershipSet.digest() is equal exactly when the members' dots are, over any history", () => {
  forEachSeed(200, (random) => {
    const sent = randomPast(random, 30);
    const [a, b] = [random.pick(sent), random.pick(sent)];
    const dots = (set: MembershipSet) => set.members.map(({ name }) => set.newest(name));
    assertEquals(
      JSON.stringify(a.digest()) === JSON.stringify(b.digest()),
      JSON.stringify(dots(a)) === JSON.stringify(dots(b)),
    );
  });
});

Deno.test("MembershipSet.forget() takes a name out as if it had never been there", () => {
  const set = setOf(["a", 1], ["b", 1]).leave("b").set;
  assertEquals(set.names, ["a", "b"]);
  assertEquals(set.forget("b").names, ["a"]);
  assertStrictEquals(set.forget("c"), set);
  assertEquals(names(set.forget("b").merge(setOf(["b", 1]))), ["a", "b"]);
});

Deno.test("MembershipSet.only() has what is known of these names, absent ones too", () => {
  const set = setOf(["a", 1], ["b", 1], ["c", 1]).leave("b").set;
  const part = set.only(["b", "c", "d"]);
  assertEquals([part.names, names(part)], [["b", "c"], ["c"]]);
});

Deno.test("MembershipSet.from() makes the set of these dots and specs", () => {
  const set = MembershipSet.from([
    [{ actor: "a", incarnation: 2, counter: 3 }, nodeSpec("a", 2)],
    [{ actor: "b", incarnation: 1, counter: 1 }, undefined],
  ]);
  assertEquals([set.names, names(set)], [["a", "b"], ["a"]]);
  assertEquals(set.newest("a"), { actor: "a", incarnation: 2, counter: 3 });
  assertEquals(set.newest("c"), undefined);
});
