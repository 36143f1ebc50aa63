// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { CausalOrders } from "../../messaging/causal_orders.ts";
import { participantKey } from "../../wire/causal_stamp.ts";

const [A, B, C] = ["a", "b", "c"].map((name) => ({ name, incarnation: 1 })) as [
  { name: string; incarnation: number },
  { name: string; incarnation: number },
  { name: string; incarnation: number },
];
const [KEY_A, KEY_B] = [A, B].map(({ name, incarnation }) => participantKey(name, incarnation)) as [string, string];

Deno.test("CausalOrders takes a node that is down for down under labels that are used later, too", () => {
  for (const isEarlier of [true, false]) {
    const orders = new CausalOrders<string>(undefined, A);
    const receive = (message: string, sequence: number, sent: number[]) => {
      const stamp = { to: KEY_A, sequence, participants: [KEY_A, KEY_B], sent, delivered: [] };
      return orders.receive(C, { label: "l", stamp, empty: false }, message, { bytes: 1, now: 0 }).outcome;
    };
    for (const node of [B, C]) orders.up(node, 0);
    if (isEarlier) assertEquals(receive("first", 1, []), "delivered");
    orders.down(B, 0);
    assertEquals(receive("second", isEarlier ? 2 : 1, [0, 1, 1]), "buffered", "one of B comes before it");
    assertEquals(orders.tick(29_999), []);
    assertEquals(orders.tick(30_000).map(({ payload }) => payload), ["second"]);
  }
});
