// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { DigestBuilder, hashString } from "../../wire/hash.ts";
import { firstOf, nthOf } from "../values.ts";

Deno.test("hashString() gives these very numbers, on every machine and in every version", () => {
  assertEquals(["", "a", "node-1@127.0.0.1", "größe"].map((text) => hashString(text)), [
    2872998923,
    444641715,
    2775775621,
    2538389087,
  ]);
  assertNotEquals(hashString("a", 1), hashString("a"));
});

Deno.test("hashString() spreads similar names evenly", () => {
  const buckets = new Array<number>(16).fill(0);
  for (let index = 0; index < 16_000; index++) {
    const bucket = hashString(`node-${index}@127.0.0.1`) % 16;
    buckets[bucket] = nthOf(buckets, bucket) + 1;
  }
  for (const count of buckets) assert(count > 880 && count < 1120, `a bucket has ${count} of 16,000 names`);
});

Deno.test("DigestBuilder tells apart what was added, in which order, and where one text ends", () => {
  const digests = new Set<string>();
  const inputs: readonly (readonly (string | number)[])[] = [
    [],
    [""],
    [1],
    [2 ** 32],
    [2 ** 32 + 1],
    [2 ** 53 - 1],
    ["a"],
    ["b"],
    ["ab"],
    ["a", "b"],
    ["b", "a"],
    ["", "ab"],
    ["a", 1],
    [1, "a"],
  ];
  for (const input of inputs) {
    const builder = new DigestBuilder();
    for (const part of input) {
      if (typeof part === "string") builder.addText(part);
      else builder.addInteger(part);
    }
    const { high, low } = builder.digest();
    for (const half of [high, low]) assert(Number.isInteger(half) && half >= 0 && half <= 0xffffffff);
    digests.add(`high ${high}`).add(`low ${low}`);
  }
  assertEquals(digests.size, 2 * inputs.length);
});

Deno.test("DigestBuilder collides in neither half for 20,000 states that differ in one counter", () => {
  const halves = [new Set<number>(), new Set<number>()];
  for (let counter = 0; counter < 20_000; counter++) {
    const builder = new DigestBuilder();
    builder.addText("node-1@127.0.0.1");
    builder.addInteger(1_753_000_000_000 + counter);
    const { high, low } = builder.digest();
    firstOf(halves).add(high);
    nthOf(halves, 1).add(low);
  }
  // Of n random 32-bit numbers about n² / 2³³ collide: 0.05 here.
  for (const half of halves) assert(half.size >= 19_999);
});
