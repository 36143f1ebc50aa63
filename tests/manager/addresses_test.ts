// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { parseAddress } from "../../manager/addresses.ts";
import type { Address } from "../../wire/address.ts";

Deno.test("parseAddress() reads host names, IPv4 and bracketed IPv6 addresses with a port", () => {
  assertEquals(parseAddress("127.0.0.1:9090"), { hostname: "127.0.0.1", port: 9090 });
  assertEquals(parseAddress("node-7.example.com:65535"), { hostname: "node-7.example.com", port: 65535 });
  assertEquals(parseAddress("[::1]:0"), { hostname: "::1", port: 0 });
  assertEquals(parseAddress("[fe80::1%eth0]:80"), { hostname: "fe80::1%eth0", port: 80 });
});

Deno.test("parseAddress() takes an object for what it is, and drops what does not belong", () => {
  const input = { hostname: "::1", port: 1, transport: "tcp" };
  assertEquals(parseAddress(input), { hostname: "::1", port: 1 });
});

Deno.test("parseAddress() refuses what is no address, and says what it expects", () => {
  const texts = [
    "",
    "localhost",
    ":9090",
    "localhost:",
    "::1:9090",
    "[::1]",
    "a b:1",
    "a:b",
    "a:-1",
    "a:1.5",
    "http://a:1",
  ];
  for (const text of texts) assertThrows(() => parseAddress(text), SyntaxError, `Cannot read the address "${text}"`);
});

Deno.test("parseAddress() refuses a port that is none, in both shapes", () => {
  for (const port of [65_536, 99_999]) {
    assertThrows(() => parseAddress(`a:${port}`), RangeError, `Cannot use the address "a:${port}"`);
  }
  for (const port of [-1, 1.5, NaN, "80" as unknown as number, undefined as unknown as number]) {
    assertThrows(() => parseAddress({ hostname: "a", port }), RangeError, "expected a host name and a port");
  }
  for (const hostname of ["", undefined as unknown as string]) {
    assertThrows(() => parseAddress({ hostname, port: 1 } as Address), RangeError, "expected a host name");
  }
});
