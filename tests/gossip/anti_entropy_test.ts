// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { absorb, compareWithSummary } from "../../gossip/anti_entropy.ts";
import { MembershipSet } from "../../membership/membership_set.ts";
import { nodeSpec } from "../node_spec.ts";
import { forEachSeed, type SeededRandom } from "../seeded_random.ts";

const NAMES = ["a", "b", "c", "d", "e"];

function setOf(...members: [name: string, incarnation: number][]): MembershipSet {
  return members.reduce((set, [name, incarnation]) => set.add(nodeSpec(name, incarnation)).set, MembershipSet.empty());
}

/** Two replicas of one past: some of it is known to both, some to one of them, some to neither. */
function twoReplicas(random: SeededRandom): [MembershipSet, MembershipSet] {
  let [a, b] = [MembershipSet.empty(), MembershipSet.empty()];
  for (const name of NAMES) {
    let all = MembershipSet.empty();
    const incarnations = random.int(4);
    for (let incarnation = 1; incarnation <= incarnations; incarnation++) {
      const added = all.add(nodeSpec(name, incarnation)).set;
      all = random.chance(0.4) ? added.leave(name).set : added;
      if (random.chance(0.5)) a = a.merge(all);
      if (random.chance(0.5)) b = b.merge(all);
    }
  }
  return [a, b];
}

Deno.test("compareWithSummary() finds what the other lacks, has newer, and does not know to be removed", () => {
  const ours = setOf(["both", 1], ["only ours", 1], ["newer here", 2], ["newer there", 1], ["removed here", 1])
    .leave("removed here").set;
  const theirs = setOf(["both", 1], ["only theirs", 1], ["newer here", 1], ["newer there", 2], ["removed here", 1]);
  const { delta, wanted } = compareWithSummary(ours, theirs.dots());
  assertEquals(delta.names, ["newer here", "only ours", "removed here"]);
  assertEquals(delta.memberNames, ["newer here", "only ours"]);
  assertEquals([...wanted].sort(), ["newer there", "only theirs"]);
});

Deno.test("compareWithSummary() finds nothing between replicas that agree on the members", () => {
  const ours = setOf(["a", 1], ["b", 1], ["gone", 1]).leave("gone").set;
  const { delta, wanted } = compareWithSummary(ours, setOf(["b", 1], ["a", 1]).dots());
  assertEquals([delta.names, wanted], [[], []]);
});

Deno.test("digest, summary, delta and what was asked for make two replicas agree, whatever lay behind them", () => {
  forEachSeed(500, (random) => {
    const [a, b] = twoReplicas(random);
    const { delta, wanted } = compareWithSummary(a, b.dots());
    const atB = absorb(b, delta);
    const atA = absorb(a, atB.corrections.merge(atB.set.only(wanted)));
    assertEquals(atA.corrections.names, []);
    const expected = a.merge(b).digest();
    assertEquals([atA.set.digest(), atB.set.digest()], [expected, expected]);
  });
});

Deno.test("absorb() returns the set itself, and no news, when nothing is learnt", () => {
  const set = setOf(["a", 1], ["b", 1]);
  const absorbed = absorb(set, set.only(["a"]));
  assertStrictEquals(absorbed.set, set);
  assertEquals([absorbed.news.names, absorbed.corrections.names], [[], []]);
});

Deno.test("absorb() tells apart what is news here from what the sender has missed", () => {
  const set = setOf(["known", 1], ["newer here", 2], ["removed here", 1]).leave("removed here").set;
  const received = setOf(["new", 1], ["known", 1], ["newer here", 1], ["removed here", 1]);
  const { news, corrections } = absorb(set, received);
  assertEquals(news.names, ["new"]);
  assertEquals(corrections.names, ["newer here", "removed here"]);
  assertEquals(corrections.memberNames, ["newer here"]);
});

Deno.test("absorb() remembers a removal that comes before the addition that it removes", () => {
  const added = setOf(["a", 1]);
  const removal = added.leave("a").delta;
  const { set, news } = absorb(MembershipSet.empty(), removal);
  assertEquals(news.names, []);
  assertEquals(absorb(set, added).set.has("a"), false);
});
