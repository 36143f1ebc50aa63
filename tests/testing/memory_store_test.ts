// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { memoryStore } from "../../testing/memory_store.ts";
import { present } from "../values.ts";

Deno.test("memoryStore() keeps what was saved last, whatever becomes of the bytes", async () => {
  const disk = memoryStore();
  assertEquals(await disk.load(), null);
  const bytes = new Uint8Array([1, 2]);
  await disk.save(bytes);
  bytes[0] = 7;
  const loaded = present(await disk.load());
  assertEquals(loaded, new Uint8Array([1, 2]));
  loaded[0] = 7;
  assertEquals(await disk.load(), new Uint8Array([1, 2]));
});

Deno.test('memoryStore() refuses what is saved while its fault is "fail", and forgets it while it is "lose"', async () => {
  const disk = memoryStore();
  await disk.save(new Uint8Array([1]));
  disk.fault = "fail";
  await assertRejects(() => disk.save(new Uint8Array([2])), Error, "the simulated disk fails");
  disk.fault = "lose";
  await disk.save(new Uint8Array([3]));
  assertEquals([await disk.load(), disk.saves], [new Uint8Array([1]), 3]);
  disk.fault = "none";
  await disk.save(new Uint8Array([4]));
  assertEquals(await disk.load(), new Uint8Array([4]));
});

Deno.test("memoryStore().setAside() leaves nothing to load", async () => {
  const disk = memoryStore();
  for (const byte of [1, 2]) {
    await disk.save(new Uint8Array([byte]));
    assertEquals(await disk.setAside(), `aside ${byte}`);
    assertEquals(await disk.load(), null);
  }
  assertEquals(disk.aside, [new Uint8Array([1]), new Uint8Array([2])]);
});
