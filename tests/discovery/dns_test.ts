// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dns, type DnsOptions } from "../../discovery/mod.ts";
import { DnsServer } from "./dns_server.ts";

const never = new AbortController().signal;

Deno.test("dns() finds every IPv4 and IPv6 address of a name", async () => {
  await using server = await DnsServer.start();
  const { nameServer } = server;
  server.names.set("peers.test", { A: ["10.0.0.1", "10.0.0.2"], AAAA: ["fd00:0:0:0:0:0:0:1"] });
  const source = dns("peers.test", { port: 9_090, nameServer });
  const found = await source.lookup(never);
  assertEquals(found.map(({ hostname, port }) => `${hostname} ${port}`).sort(), [
    "10.0.0.1 9090",
    "10.0.0.2 9090",
    "fd00::1 9090",
  ]);
  server.names.set("peers.test", { A: ["10.0.0.3"] });
  assertEquals(await source.lookup(never), [{ hostname: "10.0.0.3", port: 9_090 }]);
});

Deno.test("dns() is content with one type that has records, and fails when neither has", async () => {
  await using server = await DnsServer.start();
  const { nameServer } = server;
  server.names.set("peers.test", { A: ["10.0.0.1"] });
  server.broken.add("AAAA");
  const source = dns("peers.test", { port: 1, nameServer });
  assertEquals(await source.lookup(never), [{ hostname: "10.0.0.1", port: 1 }]);
  server.broken.add("A");
  await assertRejects(() => source.lookup(never));
  await assertRejects(() => dns("nobody.test", { port: 1, nameServer }).lookup(never));
  await assertRejects(() => dns("peers.test", { port: 1, type: "AAAA", nameServer }).lookup(never));
});

Deno.test("dns() of type SRV finds the ports and the addresses of all targets that have some", async () => {
  await using server = await DnsServer.start();
  const { nameServer } = server;
  const targets = [{ target: "one.test", port: 1 }, { target: "two.test", port: 2 }, { target: "gone.test", port: 3 }];
  server.names.set("_partisan._tcp.test", { SRV: targets });
  server.names.set("one.test", { A: ["10.0.0.1", "10.0.1.1"] });
  server.names.set("two.test", { AAAA: ["fd00:0:0:0:0:0:0:2"] });
  const found = await dns("_partisan._tcp.test", { type: "SRV", nameServer }).lookup(never);
  assertEquals(found.map(({ hostname, port }) => `${hostname} ${port}`).sort(), [
    "10.0.0.1 1",
    "10.0.1.1 1",
    "fd00::2 2",
  ]);
});

Deno.test("dns() says what is missing or wrong when it is called", () => {
  assertThrows(() => dns("peers.test"), TypeError, 'records of type A+AAAA need the option "port"');
  assertThrows(() => dns("peers.test", { port: 65_536 }), RangeError, "expected 1 to 65535");
  const type = "MX" as unknown as DnsOptions["type"];
  assertThrows(() => dns("peers.test", { port: 1, type }), TypeError, 'type is "MX"');
});
