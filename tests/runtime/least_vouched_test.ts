// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { leastVouched, vouch } from "../../runtime/least_vouched.ts";

const told = (...tellers: (string | undefined)[]) => tellers.map((teller, at) => ({ teller, at }));

Deno.test("leastVouched() takes the oldest one of the node that alone told of most, else the oldest of all", () => {
  assertEquals(leastVouched(told("a", "b", undefined, "b", "a", "b"))?.at, 1);
  assertEquals(leastVouched(told(undefined, "a", undefined, "b"))?.at, 0);
  assertEquals(leastVouched(told(undefined, undefined, "a", "a"))?.at, 2);
  assertEquals(leastVouched([]), undefined);
});

Deno.test("vouch() counts what two nodes have told, or a node of itself, for none", () => {
  const entry = { teller: "a" as string | undefined };
  vouch(entry, "a");
  assertEquals(entry.teller, "a");
  vouch(entry, "b");
  vouch(entry, "b");
  assertEquals(entry.teller, undefined);
});
