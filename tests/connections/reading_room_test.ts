// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { ReadingRoom } from "../../connections/reading_room.ts";

const MIB = 2 ** 20;

Deno.test("ReadingRoom gives room in turn, and never more than there is", async () => {
  const room = new ReadingRoom(64 * MIB);
  const budgets = Array.from({ length: 20 }, (_, index) => room.for({ index }));
  const granted: number[] = [];
  const waits = budgets.map((budget, index) =>
    Promise.resolve(budget.take(64 * MIB)).then(() => void granted.push(index))
  );
  for (const [index, budget] of budgets.entries()) {
    await waits[index];
    assertEquals([granted, room.used], [budgets.keys().take(index + 1).toArray(), 64 * MIB]);
    budget.give();
  }
  assertEquals(room.used, 0);
});

Deno.test("ReadingRoom gives a frame that is larger than all of it room of its own", () => {
  const room = new ReadingRoom(MIB);
  assertEquals(room.for({}).take(2 * MIB), undefined);
});

Deno.test("ReadingRoom ends the waiting of a connection that is closed, and holds nothing for it", async () => {
  const room = new ReadingRoom(MIB);
  const [a, b, c] = [room.for({}), room.for({}), room.for({})];
  a.take(MIB);
  const [second, third] = [b.take(MIB), c.take(MIB)];
  b.give();
  await second;
  a.give();
  await third;
  assertEquals(room.used, MIB);
  c.give();
  assertEquals(room.used, 0);
});
