// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { AddressRanges, networkOf } from "../../wire/address_ranges.ts";

/** Those of these hosts that are within the ranges. */
function within(ranges: readonly string[], hosts: readonly string[]): string[] {
  const parsed = new AddressRanges(ranges, "allow.addresses");
  return hosts.filter((host) => parsed.includes(host));
}

Deno.test("AddressRanges holds IPv4 ranges to the bit", () => {
  assertEquals(within(["10.0.0.0/8"], ["10.0.0.1", "10.255.255.255", "11.0.0.0", "9.255.255.255"]), [
    "10.0.0.1",
    "10.255.255.255",
  ]);
  assertEquals(within(["192.168.4.0/22"], ["192.168.4.0", "192.168.7.255", "192.168.8.0", "192.168.3.255"]), [
    "192.168.4.0",
    "192.168.7.255",
  ]);
  assertEquals(within(["192.0.2.7"], ["192.0.2.7", "192.0.2.6"]), ["192.0.2.7"]);
  assertEquals(within(["0.0.0.0/0"], ["1.2.3.4", "::1"]), ["1.2.3.4"]);
});

Deno.test("AddressRanges holds IPv6 ranges to the bit, however an address is written", () => {
  assertEquals(within(["fd00::/8"], ["fd12:3456::1", "[fdff::]", "fc00::1", "fe80::1"]), ["fd12:3456::1", "[fdff::]"]);
  assertEquals(within(["2001:db8::/33"], ["2001:0db8:7fff::", "2001:db8:8000::"]), ["2001:0db8:7fff::"]);
  assertEquals(within(["::1"], ["0:0:0:0:0:0:0:1", "::1", "::2"]), ["0:0:0:0:0:0:0:1", "::1"]);
  assertEquals(within(["fe80::/10"], ["fe80::1%eth0"]), ["fe80::1%eth0"]);
});

Deno.test("AddressRanges takes an IPv4 address in an IPv6 one for what it is", () => {
  const hosts = ["::ffff:10.1.2.3", "::ffff:a01:203", "::ffff:11.1.2.3", "10.1.2.3"];
  assertEquals(within(["10.0.0.0/8"], hosts), ["::ffff:10.1.2.3", "::ffff:a01:203", "10.1.2.3"]);
});

Deno.test("AddressRanges holds host names only where they are listed", () => {
  assertEquals(within(["10.0.0.0/8", "Db.Internal"], ["db.internal", "DB.INTERNAL", "x.db.internal", "localhost"]), [
    "db.internal",
    "DB.INTERNAL",
  ]);
  // Other ways to write an IPv4 address are no names of hosts that any node listed.
  assertEquals(within(["0.0.0.0/0"], ["0x7f.1", "127.1", "2130706433", "127.0.0.01", ""]), []);
});

Deno.test("AddressRanges says which entry is malformed", () => {
  for (
    const entry of ["", "10.0.0.0/33", "10.0.0/8", "::/129", "1:2", "a/8", "10.0.0.0/", "::1::", "256.1.1.1", "x y"]
  ) {
    assertThrows(() => new AddressRanges([entry], "allow.addresses"), TypeError, `"${entry}" is no range`);
  }
});

Deno.test("networkOf() is the first half of an IPv6 address, however it is written, and anything else as it is", () => {
  for (
    const address of ["2001:db8:0:7::1", "2001:0DB8:0:7:ffff::", "[2001:db8::7:0:0:0:9]", "2001:db8:0:7:1:2:3:4%eth0"]
  ) {
    assertEquals(networkOf(address), "2001:db8:0:7::/64", address);
  }
  assertEquals(networkOf("::1"), "0:0:0:0::/64");
  assertEquals(networkOf("::ffff:192.0.2.1"), "192.0.2.1");
  for (const host of ["192.0.2.1", "a.example", "", "no:address"]) assertEquals(networkOf(host), host);
});
