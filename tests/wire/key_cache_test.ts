// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { KeyCache } from "../../wire/key_cache.ts";
import { forEachSeed } from "../seeded_random.ts";

Deno.test("KeyCache.read() reads any key of up to 31 bytes, again and again", () => {
  forEachSeed(50, (random) => {
    const cache = new KeyCache();
    const alphabets = ["ab", "abcdefghijklmnopqrstuvwxyz_0123456789", "aé€🍺"];
    const keys = Array.from({ length: 200 }, () => {
      const letters = [...random.pick(alphabets)];
      return Array.from({ length: random.int(8) }, () => random.pick(letters)).join("");
    });
    for (let round = 0; round < 2000; round++) {
      const key = random.pick(keys);
      const encoded = new TextEncoder().encode(key);
      const start = random.int(4);
      const bytes = new Uint8Array(start + encoded.length + random.int(4)).fill(0x61);
      bytes.set(encoded, start);
      assertStrictEquals(cache.read(bytes, start, start + encoded.length), key);
    }
  });
});

Deno.test("KeyCache.read() tells keys apart that share a slot", () => {
  // The same length, and the same bytes at the start, in the middle and at the end.
  const cache = new KeyCache();
  const keys = ["axbxc", "aybyc", "axbyc"];
  for (let round = 0; round < 3; round++) {
    assertEquals(keys.map((key) => cache.read(new TextEncoder().encode(key), 0, 5)), keys);
  }
});
