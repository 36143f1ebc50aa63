// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { OutsideQueue } from "../../testing/outside_queue.ts";

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("OutsideQueue passes results on in the order of their beginning, however they come in", async () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0]]) {
    const queue = new OutsideQueue(turn);
    const operations = [0, 1, 2].map(() => Promise.withResolvers<string>());
    const log: string[] = [];
    const followed = operations.map(async (operation, index) => {
      log.push(await queue.add(operation.promise));
      await null;
      log.push(`after ${index}`);
    });
    for (const index of order) {
      operations[index]?.resolve(`result ${index}`);
      await turn();
    }
    await Promise.all(followed);
    assertEquals(log, ["result 0", "after 0", "result 1", "after 1", "result 2", "after 2"]);
  }
});

Deno.test("OutsideQueue passes results on when all microtasks are done, even those that were there at once", async () => {
  const queue = new OutsideQueue(turn);
  const log: string[] = [];
  const passed = queue.add(Promise.resolve()).then(() => log.push("result"));
  for (let step = 0; step < 20; step++) await null;
  log.push("microtasks");
  await passed;
  assertEquals(log, ["microtasks", "result"]);
});

Deno.test("OutsideQueue passes errors on", async () => {
  const queue = new OutsideQueue(turn);
  const error = new Error("no");
  const results = [queue.add(Promise.reject(error)).catch((reason) => reason), queue.add(Promise.resolve(1))];
  assertEquals(await Promise.all(results), [error, 1]);
});

Deno.test("OutsideQueue.busy waits for operations that others set off", async () => {
  const queue = new OutsideQueue(turn);
  assertStrictEquals(queue.busy, undefined);
  let last = "";
  queue.add(Promise.resolve()).then(() => queue.add(turn())).then(() => last = "done");
  await queue.busy;
  assertEquals(last, "done");
  assertStrictEquals(queue.busy, undefined);
});
