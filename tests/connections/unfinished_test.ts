// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { Unfinished } from "../../connections/unfinished.ts";

Deno.test("Unfinished.finished() waits for all work, also for work that begins meanwhile and for work that fails", async () => {
  const unfinished = new Unfinished();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const third = Promise.withResolvers<void>();
  const told: string[] = [];
  unfinished.add(first.promise);
  unfinished.add(second.promise).catch(() => told.push("failed"));
  const waits = [1, 2].map(() => unfinished.finished().then(() => void told.push("finished")));
  assertEquals(unfinished.size, 2);
  first.resolve();
  await first.promise;
  unfinished.add(third.promise);
  second.reject(new Error("lost"));
  await second.promise.catch(() => {});
  assertEquals([unfinished.size, told], [1, ["failed"]]);
  third.resolve();
  await Promise.all(waits);
  assertEquals([unfinished.size, told], [0, ["failed", "finished", "finished"]]);
});

Deno.test("Unfinished.finished() resolves at once where nothing is under way, and waits again afterwards", async () => {
  const unfinished = new Unfinished();
  await unfinished.finished();
  await unfinished.add(Promise.resolve());
  await unfinished.finished();
  const last = Promise.withResolvers<void>();
  unfinished.add(last.promise);
  const wait = unfinished.finished();
  last.resolve();
  await wait;
  assertEquals(unfinished.size, 0);
});
