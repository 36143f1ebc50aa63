// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLess } from "@std/assert";
import { participantKey } from "../../wire/causal_stamp.ts";
import { forEachSeed } from "../seeded_random.ts";
import { CausalWorld } from "./causal_world.ts";
import { entryOf } from "../values.ts";

/** Lets everything arrive and every node learn. */
function settle(world: CausalWorld): void {
  for (let round = 0; !world.isQuiet; round++) {
    assertLess(round, 20_000, "everything arrives in the end");
    world.now++;
    world.noticeOne();
    world.deliverOne();
  }
}

/** Everything sent between incarnations that are not over was delivered, once. */
function assertLive(world: CausalWorld): void {
  const live = new Map(
    [...world.participants.values()].map((participant) => [participant.key, new Set(participant.delivered)]),
  );
  for (const message of world.sent) {
    if (live.has(message.from) && live.has(message.to)) {
      assert(entryOf(live, message.to).has(message), `a message from ${message.from} to ${message.to} never came`);
    }
  }
  for (const participant of world.participants.values()) {
    assertEquals([participant.order.size, participant.order.bytes], [0, 0]);
  }
}

Deno.test("CausalOrder keeps causal order and delivers everything in 10,000 histories with restarts and repetitions", () => {
  forEachSeed(10_000, (random) => {
    const messagesMax = random.pick([2, 5, 1_000]);
    const world = new CausalWorld(random, 3 + random.int(4), { messagesMax, patience: Infinity, grace: Infinity });
    for (let step = 20 + random.int(100); step > 0; step--) world.step();
    settle(world);
    assertLive(world);
  });
});

Deno.test("CausalOrder forgets incarnations that are over: its stamps do not grow with restarts", () => {
  forEachSeed(5, (random) => {
    // The grace is far longer than any notice takes here.
    const world = new CausalWorld(random, 4, { patience: Infinity, grace: 100_000 });
    let largest = 0;
    for (let round = 0; round < 60; round++) {
      for (let step = 0; step < 300; step++) world.step();
      settle(world);
      world.now += 200_000;
      for (const participant of world.participants.values()) {
        participant.order.tick(world.now);
        largest = Math.max(largest, participant.order.dependencies);
      }
    }
    assertLive(world);
    const restarts = [...world.participants.values()].reduce((sum, { incarnation }) => sum + incarnation - 1, 0);
    assert(restarts > 300, `${restarts} restarts`);
    assertLess(largest, 4 * 4, "a stamp tells at most one number per pair of live nodes");
    for (const { order, name } of world.participants.values()) {
      const stamp = order.send(
        participantKey(name === "a" ? "b" : "a", entryOf(world.participants, name === "a" ? "b" : "a").incarnation),
      );
      assertLess(stamp.participants.length, 5);
    }
  });
});
