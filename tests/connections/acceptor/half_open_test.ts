// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { HalfOpen } from "../../../connections/acceptor/half_open.ts";

class Bench {
  now = 0;
  readonly given: string[] = [];
  readonly halfOpen: HalfOpen;

  constructor(max: number) {
    const isMemberHost = (hostname: string) => hostname.startsWith("member");
    this.halfOpen = new HalfOpen({ max, patience: 1_000, isMemberHost, now: () => this.now });
  }

  enter(hostname: string, id = ""): Disposable | null {
    return this.halfOpen.enter(hostname, () => this.given.push(hostname + id));
  }
}

Deno.test("HalfOpen has the host with most streams give up its oldest one for another host", () => {
  const bench = new Bench(16);
  for (let stream = 0; stream < 14; stream++) assert(bench.enter("evil", ` ${stream}`) !== null);
  const slot = bench.enter("good");
  assert(slot !== null);
  assertEquals(bench.given, ["evil 0"]);
  assert(bench.enter("other") !== null);
  assertEquals(bench.given, ["evil 0", "evil 1"]);
  assertEquals(bench.halfOpen.size, 14);
  slot[Symbol.dispose]();
  slot[Symbol.dispose]();
  assertEquals(bench.halfOpen.size, 13);
});

Deno.test("HalfOpen lets a newcomer take the slot of a silent stream of its own host, not of a fresh one", () => {
  const bench = new Bench(8);
  for (let stream = 0; stream < 7; stream++) bench.enter("host", ` ${stream}`);
  assertEquals(bench.enter("host"), null);
  bench.now = 1_000;
  assert(bench.enter("host") !== null);
  assertEquals(bench.given, ["host 0"]);
});

Deno.test("HalfOpen keeps slots for hosts of members, and takes none from hosts that have as few", () => {
  const bench = new Bench(16);
  for (let host = 0; host < 14; host++) assert(bench.enter(`host ${host}`) !== null);
  assertEquals(bench.enter("one more"), null);
  assert(bench.enter("member 1") !== null && bench.enter("member 2") !== null);
  assertEquals(bench.enter("member 3"), null);
  assertEquals(bench.given, []);
  assertEquals(new Bench(0).enter("any"), null);
});

Deno.test("HalfOpen takes the IPv6 addresses of one network for one host", () => {
  const bench = new Bench(16);
  for (let stream = 0; stream < 14; stream++) assert(bench.enter(`2001:db8:0:7::${stream.toString(16)}`) !== null);
  assert(bench.enter("2001:db8:0:8::1") !== null);
  assertEquals(bench.given, ["2001:db8:0:7::0"]);
});
