// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- It prints what it measures.

import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { MembershipSet } from "../../membership/membership_set.ts";
import {
  dotFromValue,
  dotToValue,
  MEMBERSHIP_NAMES_MAX,
  membershipFromValue,
  membershipToValue,
} from "../../membership/membership_value.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { nodeSpec } from "../node_spec.ts";
import { forEachBrokenValue } from "../wire/broken_values.ts";

const ADDRESSES = [{ hostname: "10.0.0.1", port: 1 }, { hostname: "::1", port: 65_535 }];
const START = 1_753_000_000_000;

function clusterOf(size: number): MembershipSet {
  let set = MembershipSet.empty();
  for (let index = 0; index < size; index++) set = set.add(nodeSpec(`node-${index}@127.0.0.1`, START + index)).set;
  return set;
}

Deno.test("membershipFromValue() gives back what membershipToValue() took, through MessagePack", () => {
  const bulk = { parallelism: 64, monotonic: true, compression: true };
  const channels = { ...nodeSpec("a").channels, bulk };
  const set = MembershipSet.empty()
    .add(nodeSpec("a", START, { addresses: ADDRESSES, channels, metadata: { zone: "eu-1", tags: [1, null] } })).set
    .add(nodeSpec("b", 0, { addresses: [] })).set
    .add(nodeSpec("b", 0, { addresses: [] })).set
    .add(nodeSpec("c", Number.MAX_SAFE_INTEGER)).set.leave("c").set
    .add(nodeSpec("d", START, { since: START - 1 })).set
    .add(nodeSpec("e", START, { key: new Uint8Array(32).fill(5) })).set
    .add(nodeSpec("f", START, { since: START - 1, key: new Uint8Array(32).fill(6) })).set;
  const back = membershipFromValue(decode(encode(membershipToValue(set))));
  assertEquals(back.members, set.members);
  assertEquals(back.names, ["a", "b", "c", "d", "e", "f"]);
  assertEquals(back.names.map((name) => back.newest(name)), set.names.map((name) => set.newest(name)));
  assertEquals(back.digest(), set.digest());
  assert(set.merge(back) === set);
});

Deno.test("membershipToValue() takes at most 90 bytes a plain member", () => {
  for (const size of [1, 10, 200, 1_000]) {
    const bytes = encode(membershipToValue(clusterOf(size))).length;
    console.log(`${size} plain members: ${bytes} bytes, ${(bytes / size).toFixed(1)} each`);
    assertLessOrEqual(bytes / size, 90);
  }
});

Deno.test("membershipToValue() does not grow over 1,000 cycles of leaving and joining again", () => {
  let set = clusterOf(20);
  const before = encode(membershipToValue(set)).length;
  for (let cycle = 1; cycle <= 1_000; cycle++) {
    const name = `node-${cycle % 20}@127.0.0.1`;
    set = set.leave(name).set.add(nodeSpec(name, START + 1_000 + cycle)).set;
  }
  const after = encode(membershipToValue(set)).length;
  console.log(`${before} bytes before, ${after} after 1,000 cycles`);
  assertEquals(set.members.length, 20);
  assertLessOrEqual(after, 1.1 * before);
});

Deno.test("dotFromValue() gives back what dotToValue() took", () => {
  const dot = { actor: "a", incarnation: START, counter: 3 };
  assertEquals(dotFromValue(decode(encode(dotToValue(dot)))), dot);
});

const addresses = ["h", 1];
const channels = { default: 4, membership: 4 };
const refusals: readonly [
  what: string,
  value: unknown,
  error: typeof TypeError | typeof RangeError,
  message: string,
][] = [
  ["no array", {}, TypeError, "Invalid membership: expected an array"],
  ["too many names", new Array(MEMBERSHIP_NAMES_MAX + 1).fill(["a", 1, 1]), RangeError, "Invalid membership"],
  ["an entry of text", ["a"], TypeError, "Invalid dot: expected an array"],
  ["an entry of nothing", [[]], TypeError, "Invalid name"],
  ["an entry too long", [["a", 1, 1, addresses, channels, {}, 1, new Uint8Array(32), 1]], RangeError, "Invalid dot"],
  ["a key that is none", [["a", 1, 1, addresses, channels, {}, null, 1]], TypeError, "Invalid key"],
  ["a membership that is younger than its incarnation", [["a", 1, 1, addresses, channels, {}, 2]], RangeError, "since"],
  ["a membership that began with nothing", [["a", 1, 1, addresses, channels, {}, null]], TypeError, "since"],
  ["a counter of 0", [["a", 1, 0]], RangeError, "Invalid counter"],
  ["a counter of text", [["a", 1, "1"]], TypeError, "Invalid counter"],
  ["a big integer", [["a", 1n, 1]], TypeError, "Invalid incarnation"],
  ["a lone host name", [["a", 1, 1, ["h"], channels, {}]], TypeError, "expected pairs"],
  ["no addresses", [["a", 1, 1, null, channels, {}]], TypeError, "Invalid addresses"],
  ["channels of nothing", [["a", 1, 1, addresses, null, {}]], TypeError, "Invalid channels"],
  ["no parallelism", [["a", 1, 1, addresses, { ...channels, x: 3 }, {}]], RangeError, "Invalid channel"],
  ["much parallelism", [["a", 1, 1, addresses, { ...channels, x: 260 }, {}]], RangeError, "Invalid channel"],
  ["a lacking channel", [["a", 1, 1, addresses, { default: 4 }, {}]], TypeError, '"membership" is missing'],
  ["no metadata", [["a", 1, 1, addresses, channels]], TypeError, "Invalid metadata"],
];

for (const [what, value, error, message] of refusals) {
  Deno.test(`membershipFromValue() refuses ${what}`, () => {
    assertThrows(() => membershipFromValue(value), error, message);
  });
}

Deno.test("membershipFromValue() throws only TypeErrors and RangeErrors, whatever it is given", () => {
  const bytes = encode(membershipToValue(clusterOf(3).leave("node-1@127.0.0.1").set));
  forEachBrokenValue([bytes], (value) => {
    try {
      const set = membershipFromValue(value);
      assertEquals(membershipToValue(membershipFromValue(membershipToValue(set))), membershipToValue(set));
    } catch (error) {
      assert(error instanceof TypeError || error instanceof RangeError, String(error));
    }
  });
});
