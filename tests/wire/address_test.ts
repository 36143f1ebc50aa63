// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { parseAddress } from "../../manager/addresses.ts";
import { formatAddress } from "../../wire/address.ts";

Deno.test("formatAddress() puts an IPv6 address in brackets, so that parseAddress() reads it again", () => {
  const addresses = [{ hostname: "10.0.0.9", port: 9_090 }, { hostname: "fe80::1%eth0", port: 0 }];
  assertEquals(addresses.map(formatAddress), ["10.0.0.9:9090", "[fe80::1%eth0]:0"]);
  assertEquals(addresses.map((address) => parseAddress(formatAddress(address))), addresses);
});
