// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { list } from "../../discovery/mod.ts";
import {
  type Address,
  type Discovery,
  HandshakeRefusedError,
  type LogEntry,
  type PeerServiceManager,
  startPeerService,
} from "../../mod.ts";
import { formatAddress } from "../../wire/address.ts";
import { scenario, type World } from "../manager/worlds.ts";
import { firstOf } from "../values.ts";

function fixed(name: string, addresses: readonly Address[]): Discovery {
  return { name, lookup: () => Promise.resolve(addresses) };
}

/** Lets time pass. */
function pass(world: World, milliseconds: number): Promise<void> {
  return new Promise((resolve) => world.clock.schedule(milliseconds, resolve));
}

function addressOf(hostname: string): Address {
  return { hostname, port: 9_090 };
}

scenario("Nodes that are given each other's addresses find each other, whichever starts first", async (world) => {
  const first = await world.start("a");
  const b = await world.start("b", { discovery: list(first.spec.addresses) });
  const c = await world.start("c", { discovery: [list(b.spec.addresses), list(first.spec.addresses)] });
  await world.settled([first, b, c]);
  await world.until(
    "c says so",
    () =>
      c.discovery().every(({ addresses }) => addresses[0]?.outcome === "member" || addresses[0]?.outcome === "joined"),
  );
  assertEquals(c.discovery().map(({ name, error }) => [name, error]), [["list", null], ["list", null]]);
});

scenario(
  "Every address of an answer is tried, the own one is recognised, and a dead one says why it failed",
  async (world) => {
    const shared = ["ghost", "a", "b", "c", "d"].map(addressOf);
    const nodes: PeerServiceManager[] = [];
    for (const name of ["a", "b", "c", "d"]) {
      nodes.push(
        await world.start(name, { discovery: fixed("shared", shared) }),
      );
    }
    await world.settled(nodes);
    const outcomes = () =>
      nodes.map((node) =>
        Object.fromEntries(
          firstOf(node.discovery()).addresses.map(({ address, outcome }) => [address.hostname, outcome]),
        )
      );
    await world.until(
      "each tried all",
      () => outcomes().every((outcome) => Object.values(outcome).every((word) => word !== "trying")),
    );
    for (const [index, name] of ["a", "b", "c", "d"].entries()) {
      assertEquals(outcomes()[index]?.[name], "self");
      assert(!["self", "member", "joined", "trying"].includes(outcomes()[index]?.ghost ?? ""));
    }
  },
  ["memory"],
);

scenario("A look-up that fails forgets no node, is told once, and is tried again", async (world) => {
  let calls = 0;
  let isBroken = true;
  const warnings: string[] = [];
  const b = await world.start("b");
  const flaky: Discovery = {
    name: "flaky",
    lookup: () => {
      calls++;
      return isBroken ? Promise.reject(new Error("no answer")) : Promise.resolve(b.spec.addresses);
    },
  };
  const a = await world.start("a", { discovery: flaky });
  a.addEventListener("warning", ({ detail }) => warnings.push(detail.message));
  await world.until("it asked three times", () => calls >= 3);
  assertEquals(a.discovery()[0]?.error instanceof Error, true);
  isBroken = false;
  await world.settled([a, b]);
  await world.until("the error is gone", () => a.discovery()[0]?.error === null);
  isBroken = true;
  assertEquals(a.members(), ["a", "b"]);
  assert(warnings.length <= 1);
});

scenario(
  "A node is warned when a node at an address of a source refuses it, and when there is none",
  async (world) => {
    const entries: LogEntry[] = [];
    const log = (entry: LogEntry) => void (entries.push(entry), world.look());
    const about = (address: Address) => entries.filter(({ node }) => node === formatAddress(address));
    const a = await world.start("a", { cluster: "blue" });
    const address = firstOf(a.spec.addresses);
    const nowhere = { hostname: world.kind === "TCP" ? "127.0.0.1" : "nowhere", port: 1 };
    const source: Discovery = fixed("both", [address, nowhere]);
    const b = await world.start("b", { cluster: "green", discovery: source, log });
    await world.until("both were told", () => about(address).length > 0 && about(nowhere).length > 0);
    const [refused] = about(address);
    assertEquals([refused?.level, refused?.kind], ["warning", "cannot-connect"]);
    assert(refused?.error instanceof HandshakeRefusedError && refused.error.refusal.code === "cluster");
    assertEquals(about(nowhere)[0]?.kind, "cannot-connect");
    assertStringIncludes(firstOf(about(nowhere)).message, 'Cannot join any of the 2 addresses that "both" names yet');
    const { dialFailures } = b.stats().connections;
    await world.until("it was tried again", () => b.stats().connections.dialFailures > dialFailures + 1);
    assertEquals([about(address).length, about(nowhere).length], [1, 1], "each once");
  },
);

scenario("A node that is no longer alone is not warned of addresses where no node is", async (world) => {
  const entries: LogEntry[] = [];
  const a = await world.start("a");
  const nowhere = { hostname: world.kind === "TCP" ? "127.0.0.1" : "nowhere", port: 1 };
  const discovery = fixed("both", [nowhere, ...a.spec.addresses]);
  const b = await world.start("b", { discovery, log: (entry) => void entries.push(entry) });
  await world.settled([a, b]);
  await world.until("it was tried", () => b.stats().connections.dialFailures > 0);
  assertEquals(entries, []);
});

scenario("Two halves that know nothing of each other become one on contact", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const c = await world.start("c");
  const d = await world.start("d", { discovery: fixed("contact", a.spec.addresses) });
  await c.syncJoin(d.spec);
  await world.settled([a, b, c, d]);
});

scenario(
  "A node that leaves stays alone although its source still names the others, until it joins again",
  async (world) => {
    const a = await world.start("a");
    let calls = 0;
    const counted: Discovery = { name: "counted", lookup: () => (calls++, Promise.resolve(a.spec.addresses)) };
    const b = await world.start("b", { discovery: counted });
    await world.settled([a, b]);
    await b.leave();
    const before = calls;
    await pass(world, 60_000);
    assertEquals(b.members(), ["b"]);
    assertEquals(calls, before);
    await b.syncJoin(a.spec);
    await world.until("it asks again", () => calls > before);
  },
  ["memory"],
);

scenario("A source that can notice changes is asked at once when something changed", async (world) => {
  const a = await world.start("a");
  let addresses: readonly Address[] = [];
  let tell = () => {};
  let ended = false;
  const watched: Discovery = {
    name: "watched",
    lookup: () => Promise.resolve(addresses),
    watch: (changed, signal) => {
      tell = changed;
      signal.addEventListener("abort", () => ended = true);
    },
  };
  const b = await world.start("b", { discovery: watched });
  await pass(world, 60_000);
  addresses = a.spec.addresses;
  const before = world.clock.now();
  tell();
  await world.settled([a, b]);
  assert(world.clock.now() - before < 2_000);
  await b.stop();
  assert(ended);
}, ["memory"]);

scenario("A source that never answers is given up, and asked again", async (world) => {
  let calls = 0;
  const aborted: unknown[] = [];
  const mute: Discovery = {
    name: "mute",
    lookup: (signal) => {
      calls++;
      signal.addEventListener("abort", () => aborted.push(signal.reason));
      return new Promise(() => {});
    },
  };
  const node = await world.start("a", { discovery: mute });
  await world.until("it asked twice", () => calls >= 2);
  assert(aborted.length >= 1);
  assert(node.discovery()[0]?.error instanceof DOMException);
}, ["memory"]);

Deno.test("startPeerService() refuses a discovery that is none, and list() an address that is none", async () => {
  const options = { discovery: { name: "x" } as unknown as Discovery };
  await assertRejects(async () => await startPeerService(options), TypeError, '"discovery"');
  assertThrows(() => list(["nowhere"]), SyntaxError, "nowhere");
});
