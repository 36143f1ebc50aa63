// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { gossipFromValue, type GossipMessage, gossipToValue } from "../../gossip/gossip_message.ts";
import { MembershipSet } from "../../membership/membership_set.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { nodeSpec } from "../node_spec.ts";
import { forEachBrokenValue } from "../wire/broken_values.ts";

const set = MembershipSet.empty().add(nodeSpec("a", 1)).set.add(nodeSpec("b", 2)).set.leave("b").set;
const messages: readonly GossipMessage[] = [
  { kind: "digest", digest: { high: 0xffffffff, low: 0 } },
  { kind: "summary", dots: set.dots() },
  { kind: "delta", delta: set, wanted: ["c", "d"] },
  { kind: "join", members: set },
  { kind: "welcome", incarnation: 7, delta: set, companions: ["c"] },
];

for (const message of messages) {
  Deno.test(`gossipFromValue() gives back the ${message.kind} that gossipToValue() took, through MessagePack`, () => {
    const bytes = encode(gossipToValue(message));
    const back = gossipFromValue(decode(bytes));
    assertEquals(back.kind, message.kind);
    assertEquals(encode(gossipToValue(back)), bytes);
  });
}

Deno.test("gossipToValue() takes at most 12 bytes for a digest", () => {
  assertLessOrEqual(encode(gossipToValue({ kind: "digest", digest: set.digest() })).length, 12);
});

const refusals: readonly [what: string, value: unknown, message: string][] = [
  ["nothing", undefined, "expected an array, got undefined"],
  ["no kind", [], "unknown kind undefined"],
  ["an unknown kind", [9], "unknown kind 9"],
  ["too much", [0, 1, 2, 3, 4], "at most 4"],
  ["half a digest", [0, 1], "Invalid digest"],
  ["a digest of 33 bits", [0, 1, 2 ** 32], "Invalid digest"],
  ["no summary", [1], "Invalid summary"],
  ["a summary of numbers", [1, [1]], "Invalid dot"],
  ["no delta", [2], "Invalid membership"],
  ["no wanted names", [2, []], "Invalid wanted names"],
  ["a wanted number", [2, [], [1]], "Invalid name among wanted names"],
  ["a join of no node", [3], "Invalid membership"],
  ["a welcome for no node", [4, "a", [], []], "Invalid incarnation"],
  ["no companions", [4, 1, []], "Invalid companions"],
  ["a welcome of text", [4, 1, "a"], "Invalid membership"],
];

for (const [what, value, message] of refusals) {
  Deno.test(`gossipFromValue() refuses ${what} with a TypeError`, () => {
    const error = assertThrows(() => gossipFromValue(value), TypeError, message);
    assert((error as Error).message.startsWith("Cannot read gossip: "));
  });
}

Deno.test("gossipFromValue() throws only TypeErrors, whatever it is given", () => {
  const encoded = messages.map((message) => encode(gossipToValue(message)));
  forEachBrokenValue(encoded, (value) => {
    try {
      gossipFromValue(value);
    } catch (error) {
      assert(error instanceof TypeError, String(error));
    }
  });
});
