// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  assert,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { crc32 } from "../../wire/checksum.ts";
import { decodeSnapshot, encodeSnapshot, SNAPSHOT_VERSION } from "../../membership/snapshot_format.ts";
import { type ErrorDetail, type SnapshotStore, startPeerService } from "../../mod.ts";
import { hyparview } from "../../strategy/hyparview.ts";
import { MemoryStore, memoryStore } from "../../testing/memory_store.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { flipBit } from "../flip_bit.ts";
import { firstOf, present } from "../values.ts";
import { DiskCluster } from "./disk_cluster.ts";

const NAMES = ["a", "b", "c", "d"] as const;

for (const name of NAMES) {
  Deno.test(`A node that restarts alone finds its cluster again: "${name}" of ${NAMES.length}`, async () => {
    await using disks = await DiskCluster.start(NAMES);
    const { cluster } = disks;
    const former = cluster.node(name).spec.incarnation;
    cluster.crash(name);
    await cluster.advance(60_000);
    const [node] = await disks.restart(name);
    assertEquals<readonly string[]>(node.members(), NAMES);
    assertGreater(node.spec.incarnation, former);
    assertLessOrEqual(await cluster.settled(), 4_000);
    assertEquals(disks.told, []);
  });

  Deno.test(`A node that restarts at a new port finds its cluster again: "${name}" of ${NAMES.length}`, async () => {
    await using disks = await DiskCluster.start(NAMES);
    const { cluster } = disks;
    cluster.crash(name);
    await cluster.advance(60_000);
    disks.options.set(name, { listen: { hostname: name, port: 7_000 } });
    await disks.restart(name);
    assertLessOrEqual(await cluster.settled(), 4_000);
    const ports = cluster.nodes.map((node) =>
      node.membersForOrchestration().find((spec) => spec.name === name)?.addresses.map(({ port }) => port)
    );
    assertEquals(ports, NAMES.map(() => [7_000]));
    // And what they have learnt is on their disks.
    cluster.crash(name);
    await disks.restart(name);
    assertLessOrEqual(await cluster.settled(), 4_000);
  });
}

Deno.test("When all nodes of a cluster restart at once, they find each other again", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  for (let round = 0; round < 3; round++) {
    for (const name of NAMES) cluster.crash(name);
    await cluster.advance(round * 10_000);
    await disks.restart(...NAMES);
    assertLessOrEqual(await cluster.settled(), 4_000);
  }
  assertEquals(disks.told, []);
});

Deno.test("When all nodes restart one after the other at new ports, the last one too finds the others", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  for (const [index, name] of NAMES.entries()) {
    cluster.crash(name);
    disks.options.set(name, { listen: { hostname: name, port: 7_000 + index } });
    await disks.restart(name);
    assertLessOrEqual(await cluster.settled(), 8_000);
  }
});

Deno.test("A node whose cluster has moved while it was away finds it as long as one of them is where it was", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  cluster.crash("a");
  await cluster.advance(10_000);
  for (const name of ["b", "c"]) {
    cluster.crash(name);
    disks.options.set(name, { listen: { hostname: name, port: 7_000 } });
    await disks.restart(name);
    await cluster.settled();
  }
  await disks.restart("a");
  assertLessOrEqual(await cluster.settled(), 10_000);
});

Deno.test("A member that is away stays a member for those that restart meanwhile", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  for (const name of NAMES) cluster.crash(name);
  await disks.restart("a", "b", "c");
  await cluster.settled();
  await cluster.advance(60_000);
  assertEquals(disks.members(), { a: "a b c d", b: "a b c d", c: "a b c d" });
  await disks.restart("d");
  await cluster.settled();
});

Deno.test("A new incarnation has a newer incarnation than the last one, even when the clock was set back", async () => {
  await using disks = await DiskCluster.start(NAMES);
  const { cluster } = disks;
  let former = cluster.node("b").spec.incarnation;
  for (let incarnation = 0; incarnation < 3; incarnation++) {
    cluster.crash("b");
    cluster.setSkew("b", -3_600_000 * (incarnation + 1));
    const [node] = await disks.restart("b");
    assertEquals(node.spec.incarnation, former + 1);
    former = node.spec.incarnation;
    await cluster.settled();
  }
  assertEquals(disks.told, []);
});

Deno.test("A node has said on its disk that it lives before any node can hear of it", async () => {
  await using disks = await DiskCluster.start(["a", "b"]);
  const { cluster } = disks;
  cluster.crash("a");
  const [node] = await disks.restart("a");
  const { incarnation, since, members } = decodeSnapshot(present(disks.disk("a").bytes));
  assertEquals([incarnation, cluster.now], [node.spec.incarnation, cluster.now]);
  assertLessOrEqual(since, incarnation - 1);
  assert(members !== null);
});

Deno.test("A node whose disk has lost the last incarnations is told of them by the others, and begins a newer one", async () => {
  await using disks = await DiskCluster.start(["a", "b", "c"]);
  const { cluster } = disks;
  const old = disks.disk("b").bytes;
  for (let incarnation = 0; incarnation < 3; incarnation++) {
    cluster.crash("b");
    await disks.restart("b");
    await cluster.settled();
  }
  const { incarnation } = cluster.node("b").spec;
  cluster.crash("b");
  cluster.setSkew("b", -3_600_000);
  disks.disk("b").bytes = old;
  await disks.restart("b");
  await cluster.settled();
  assertGreater(cluster.node("b").spec.incarnation, incarnation);
  assertEquals(disks.told, []);
});

Deno.test("A node without a name has that of its last incarnation", async () => {
  const world = new SimulatedWorld();
  const store = memoryStore();
  const first = await startPeerService({ store, listen: "x:1", runtime: world.node("x") });
  world.crash("x");
  const second = await startPeerService({ store, listen: "x:1", runtime: world.node("x") });
  assertEquals(second.name, first.name);
  world.crash("x");
});

Deno.test("startPeerService() rejects a store of another node, and leaves it as it is", async () => {
  await using disks = await DiskCluster.start(["a", "b"]);
  disks.cluster.crash("a");
  const bytes = disks.disk("b").bytes;
  disks.exchange("a", disks.disk("b"));
  await assertRejects(() => disks.restart("a"), TypeError, 'Cannot start "a": the store belongs to "b"');
  assertEquals(disks.disk("b").bytes, bytes);
});

Deno.test("startPeerService() rejects a store of another strategy, and leaves it as it is", async () => {
  await using disks = await DiskCluster.start(["a", "b"]);
  disks.cluster.crash("a");
  const { bytes } = disks.disk("a");
  disks.options.set("a", { strategy: hyparview() });
  const message = 'Cannot start "a": the store is of strategy "full-mesh", expected "hyparview"';
  await assertRejects(() => disks.restart("a"), TypeError, message);
  assertEquals(disks.disk("a").bytes, bytes);
});

Deno.test("startPeerService() rejects a store that a newer release has written to, and leaves it as it is", async () => {
  await using disks = await DiskCluster.start(["a", "b"]);
  disks.cluster.crash("a");
  const bytes = present(disks.disk("a").bytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, SNAPSHOT_VERSION + 1);
  view.setUint32(4, crc32(bytes.subarray(8)));
  const before = bytes.slice();
  await assertRejects(() => disks.restart("a"), RangeError, "which a newer release wrote");
  assertEquals(disks.disk("a").bytes, before);
  assertEquals(disks.disk("a").aside, []);
});

Deno.test("startPeerService() refuses what is no store", async () => {
  for (const store of ["a.snapshot", null, {}, { load: () => Promise.resolve(null) }]) {
    await assertRejects(
      () => startPeerService({ store: store as never }),
      TypeError,
      '"store" has no load() and save()',
    );
  }
});

Deno.test("startPeerService() rejects a store that cannot be read, and leaves it as it is", async () => {
  const world = new SimulatedWorld();
  const store = memoryStore();
  store.load = () => Promise.reject(new Error("Unreadable"));
  const start = () => startPeerService({ store, listen: "x:1", runtime: world.node("x") });
  await assertRejects(start, Error, "Unreadable");
  assertEquals(store.saves, 0);
});

Deno.test("startPeerService() rejects what its strategy cannot read, and lets go of the port", async () => {
  const world = new SimulatedWorld();
  const store = memoryStore();
  const members = ["of another release"];
  store.bytes = encodeSnapshot({ name: "x", incarnation: 1, since: 1, identity: null, strategy: "full-mesh", members });
  const start = () => startPeerService({ store, listen: "x:1", runtime: world.node("x") });
  await assertRejects(start, TypeError, "Cannot restore a full mesh");
  assertEquals(decodeSnapshot(store.bytes).members, members);
  store.bytes = null;
  await start();
  world.crash("x");
});

Deno.test("A snapshot that is torn at any byte is set aside with an error event, and the node begins anew", async () => {
  const world = new SimulatedWorld();
  const whole = encodeSnapshot({
    name: "x",
    incarnation: 1,
    since: 1,
    identity: null,
    strategy: "full-mesh",
    members: null,
  });
  for (let length = 0; length < whole.length; length++) {
    const store = memoryStore();
    const torn = whole.slice(0, length);
    store.bytes = torn;
    const node = await startPeerService({ name: "x", store, listen: "x:1", runtime: world.node("x") });
    const errors: ErrorDetail[] = [];
    node.addEventListener("error", ({ detail }) => errors.push(detail));
    await world.advance(1);
    assertEquals(errors.map(({ during }) => during), ["reading the store"]);
    const { message } = firstOf(errors).error as Error;
    assertMatch(message, /^Cannot read the snapshot: .*; it was set aside as "aside 1", and the node begins anew$/);
    assertEquals([node.members(), store.aside], [["x"], [torn]]);
    assertEquals(decodeSnapshot(store.bytes).name, "x");
    world.crash("x");
  }
});

Deno.test("A node that begins anew because its snapshot is damaged can be found by the others", async () => {
  await using disks = await DiskCluster.start(NAMES);
  disks.cluster.crash("c");
  flipBit(present(disks.disk("c").bytes), 20);
  await disks.restart("c");
  await disks.cluster.settled();
  assertEquals(disks.told.length, 1);
  assertStringIncludes(
    firstOf(disks.told),
    "c reading the store: SyntaxError: Cannot read the snapshot: its checksum is",
  );
});

Deno.test("A store that cannot set aside what is damaged is written over", async () => {
  const world = new SimulatedWorld();
  let bytes = new Uint8Array(3);
  const store: SnapshotStore = {
    load: () => Promise.resolve(bytes),
    save: (next) => {
      bytes = next.slice();
      return Promise.resolve();
    },
  };
  const node = await startPeerService({ name: "x", store, listen: "x:1", runtime: world.node("x") });
  const errors: string[] = [];
  node.addEventListener("error", ({ detail }) => errors.push(`${detail.error}`));
  await world.advance(1);
  assertEquals(errors.length, 1);
  assertMatch(firstOf(errors), /expected at least 12, and the node begins anew$/);
  assertEquals(decodeSnapshot(bytes).name, "x");
  world.crash("x");
});

Deno.test("A disk that fails costs an error event, and nothing else; what it missed is written when it works again", async () => {
  await using disks = await DiskCluster.start(["a", "b", "c"]);
  const { cluster } = disks;
  disks.disk("a").fault = "fail";
  const { bytes } = disks.disk("a");
  cluster.crash("c");
  disks.options.set("c", { listen: "c:7000" });
  await disks.restart("c");
  await cluster.settled();
  await cluster.wait(cluster.node("b").leave("c"));
  await cluster.advance(30_000);
  const failure = "a writing to the store: Error: Cannot save: the simulated disk fails";
  assertEquals(disks.told.filter((what) => what !== "c removed"), [failure]);
  assertEquals(disks.disk("a").bytes, bytes);

  disks.disk("a").fault = "none";
  await cluster.advance(1_000);
  cluster.crash("a");
  const [node] = await disks.restart("a");
  assertEquals(node.members(), ["a", "b"]);

  disks.disk("a").fault = "fail";
  cluster.crash("a");
  await disks.restart("a");
  await cluster.settled();
  assertEquals(disks.told.filter((what) => what !== "c removed"), [failure, failure]);
});

Deno.test("A node that starts with a failing disk goes on all the same", async () => {
  await using disks = await DiskCluster.start(["a", "b"]);
  disks.exchange("c", new MemoryStore());
  disks.disk("c").fault = "fail";
  await disks.cluster.startNode("c");
  await disks.cluster.settled();
  assertEquals(disks.told, ["c writing to the store: Error: Cannot save: the simulated disk fails"]);
});
