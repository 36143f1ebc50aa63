// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { HeartbeatTurn } from "../../gossip/heartbeat_turn.ts";
import { sample } from "../../runtime/sample.ts";
import { seededRandom } from "../seeded_random.ts";

Deno.test("sample() takes distinct elements, each as often as any other", () => {
  const { next } = seededRandom(1);
  const taken = new Map<number, number>();
  for (let round = 0; round < 4000; round++) {
    const items = sample([0, 1, 2, 3, 4, 5, 6, 7], 3, next);
    assertEquals(new Set(items).size, 3);
    for (const item of items) taken.set(item, (taken.get(item) ?? 0) + 1);
  }
  for (const count of taken.values()) assert(Math.abs(count - 1500) < 150, `${[...taken]}`);
});

Deno.test("sample() takes all there are when these are fewer", () => {
  assertEquals(sample(["a", "b"], 3, () => 0), ["a", "b"]);
  assertEquals(sample([], 3, () => 0), []);
});

Deno.test("HeartbeatTurn sends to no node that is not connected", () => {
  const peer = { incarnation: 1, connected: true, heardAt: 0 };
  const peers = new Map([["a", peer], ["b", { ...peer, connected: false }]]);
  const turn = new HeartbeatTurn({ now: 0, random: () => 0, peers }, 0);
  turn.send("a", 1);
  turn.send("b", 1);
  turn.send("c", 1);
  turn.sendAll(2);
  turn.sendSome(3, 5, () => true);
  turn.sendSome(4, 5, (name) => name !== "a");
  assertEquals(turn.outgoing, [{ to: "a", message: 1 }, { to: "a", message: 2 }, { to: "a", message: 3 }]);
});
