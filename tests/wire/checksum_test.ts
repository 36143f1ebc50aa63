// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertNotEquals } from "@std/assert";
import { crc32 } from "../../wire/checksum.ts";
import { flipBit } from "../flip_bit.ts";

Deno.test("crc32() is the one of Ethernet and gzip", () => {
  assertEquals(crc32(new Uint8Array()), 0);
  assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assertEquals(crc32(new Uint8Array(32)), 0x190a55ad);
  assertEquals(crc32(new Uint8Array(32).fill(0xff)), 0xff6cab0b);
});

Deno.test("crc32() notices every single bit that is flipped", () => {
  const bytes = new TextEncoder().encode("the membership of a cluster");
  const checksum = crc32(bytes);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    flipBit(bytes, bit >> 3, bit & 7);
    assertNotEquals(crc32(bytes), checksum);
    flipBit(bytes, bit >> 3, bit & 7);
  }
});
