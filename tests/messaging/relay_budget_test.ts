// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { RelayBudget } from "../../messaging/relay_budget.ts";

const MIB = 2 ** 20;

Deno.test("RelayBudget pays for 4 MiB of copies at once and 512 KiB a second, for each peer apart", () => {
  const budget = new RelayBudget();
  const [peer, other] = [{}, {}];
  assertEquals(Array.from({ length: 5 }, () => budget.pay(peer, 4, MIB / 4, 0)), [true, true, true, true, false]);
  assertEquals([budget.pay(other, 4, MIB, 0), budget.pay(other, 1, 1, 0)], [true, false]);
  assertEquals([budget.pay(peer, 1, MIB, 1_999), budget.pay(peer, 1, MIB, 2_000)], [false, true]);
  // What is not used is not kept for later without end.
  assertEquals([budget.pay(peer, 5, MIB, 1e9), budget.pay(peer, 4, MIB, 1e9)], [false, true]);
});

Deno.test("RelayBudget counts a short copy as work, too", () => {
  const budget = new RelayBudget();
  const peer = {};
  assertEquals([budget.pay(peer, 16_385, 1, 0), budget.pay(peer, 16_384, 0, 0)], [false, true]);
});
