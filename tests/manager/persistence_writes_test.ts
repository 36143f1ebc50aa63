// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { decodeSnapshot } from "../../membership/snapshot_format.ts";
import { fileStore, type NodeSpec, type PeerServiceEventMap, type SnapshotStore, startPeerService } from "../../mod.ts";
import { Persistence } from "../../manager/persistence.ts";
import { settingsFrom } from "../../manager/settings.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { nodeSpec } from "../node_spec.ts";
import { DiskCluster } from "./disk_cluster.ts";
import { present } from "../values.ts";

/** A store whose writes take until the test says so, and a node that is no more than what is written. */
class SlowDisk implements SnapshotStore {
  readonly world = new SimulatedWorld();
  readonly errors: string[] = [];
  /** States that were to be written, in order. */
  readonly written: unknown[] = [];
  /** Time at which the membership began that each of them belonged to. */
  readonly since: (number | null)[] = [];
  /** Ends the write that is under way. */
  finish: PromiseWithResolvers<void> | null = null;
  underWay = 0;
  /** State that the node knows. */
  state: unknown = "nothing";
  self: NodeSpec = nodeSpec("x", 7);
  readonly overlay = { members: new Map([["x", this.self]]), snapshot: () => this.state };

  load(): Promise<null> {
    return Promise.resolve(null);
  }

  async save(bytes: Uint8Array): Promise<void> {
    this.underWay++;
    assertEquals(this.underWay, 1, "two writes at a time");
    const { incarnation, since, members } = decodeSnapshot(bytes);
    this.since.push(since);
    this.written.push(incarnation === 7 ? members : incarnation);
    this.finish = Promise.withResolvers();
    try {
      await this.finish.promise;
    } finally {
      this.underWay--;
    }
  }

  /** Persistence over this disk, which outlasts the turns of the event loop. */
  async open(): Promise<Persistence> {
    const { clock, random, transport } = this.world.node("x");
    const runtime = {
      clock,
      random,
      transport,
      defer: (callback: () => void) => queueMicrotask(callback),
      outside: <T>(operation: Promise<T>) => operation,
    };
    const persistence = present(await Persistence.open(settingsFrom({ store: this }, runtime)));
    persistence.attach(this, (type, detail) => {
      this.errors.push(`${type} ${(detail as PeerServiceEventMap["error"]["detail"]).error}`);
    });
    return persistence;
  }

  /** Ends the write under way, and lets all that follows from it happen. */
  async end(error?: Error): Promise<void> {
    if (error === undefined) present(this.finish).resolve();
    else present(this.finish).reject(error);
    await this.world.advance(0);
  }
}

Deno.test("Persistence writes the changes of one turn at once", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  for (let change = 1; change <= 10; change++) {
    disk.state = change;
    persistence.changed();
  }
  assertEquals(disk.written, []);
  await disk.world.advance(0);
  assertEquals(disk.written, [10]);
  await disk.end();
  assertEquals(disk.written, [10]);
});

Deno.test("Persistence has one write under way at most; what changes meanwhile is the next one", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  persistence.changed();
  await disk.world.advance(0);
  for (let change = 1; change <= 10; change++) {
    disk.state = change;
    persistence.changed();
    await disk.world.advance(1);
  }
  assertEquals(disk.written, ["nothing"]);
  await disk.end();
  assertEquals(disk.written, ["nothing", 10]);
  await disk.end();
  assertEquals(disk.written, ["nothing", 10]);
});

Deno.test("Persistence writes nothing that is there already", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  persistence.changed();
  await disk.world.advance(0);
  await disk.end();
  persistence.changed();
  persistence.periodic();
  await disk.world.advance(0);
  assertEquals(disk.written, ["nothing"]);
  disk.self = nodeSpec("x", 8);
  persistence.changed();
  await disk.world.advance(0);
  assertEquals(disk.written, ["nothing", 8]);
  await disk.end();
});

Deno.test("Persistence tries again, when something changes or time has passed, what could not be written", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  persistence.changed();
  await disk.world.advance(0);
  await disk.end(new Error("Full"));
  await disk.world.advance(1_000);
  assertEquals(disk.written, ["nothing"]);
  persistence.periodic();
  await disk.world.advance(0);
  await disk.end(new Error("Full"));
  disk.state = 1;
  persistence.changed();
  await disk.world.advance(0);
  assertEquals(disk.written, ["nothing", "nothing", 1]);
  assertEquals(disk.errors, ["error Error: Full"]);
  await disk.end();
  persistence.periodic();
  await disk.world.advance(0);
  assertEquals(disk.written, ["nothing", "nothing", 1]);
  // Another failure is told again.
  disk.state = 2;
  persistence.changed();
  await disk.world.advance(0);
  await disk.end(new Error("Broken"));
  assertEquals(disk.errors, ["error Error: Full", "error Error: Broken"]);
});

Deno.test("Persistence: what failed is written although the node knows the same again as before", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  persistence.changed();
  await disk.world.advance(0);
  await disk.end();
  disk.state = 1;
  persistence.changed();
  await disk.world.advance(0);
  // Whether anything of it has reached the disk no node knows.
  await disk.end(new Error("Broken"));
  disk.state = "nothing";
  persistence.changed();
  await disk.world.advance(0);
  assertEquals(disk.written, ["nothing", 1, "nothing"]);
  await disk.end();
});

Deno.test("Persistence tells of what cannot be packed, and goes on", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  disk.state = Symbol("of no use");
  persistence.changed();
  await disk.world.advance(0);
  assertEquals([disk.written, disk.errors.length], [[], 1]);
  disk.state = 1;
  persistence.changed();
  await disk.world.advance(0);
  assertEquals(disk.written, [1]);
  await disk.end();
});

Deno.test("Persistence.stop() waits for the last write, but not without end", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  let isStopped = false;
  disk.state = "the last";
  persistence.stop().then(() => isStopped = true);
  await disk.world.advance(4_000);
  assertEquals([disk.written, isStopped], [["the last"], false]);
  await disk.end();
  assertEquals([isStopped, disk.errors], [true, []]);

  const hung = new SlowDisk();
  const stopping = (await hung.open()).stop();
  await hung.world.wait(stopping, 5_000);
  assertEquals(hung.errors, ["error TimeoutError: Cannot save: no success within 5000 ms"]);
});

Deno.test("Persistence.begin() waits for the disk, but not without end; what comes then waits for it", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  let hasBegun = false;
  persistence.begin(nodeSpec("x", 8)).then(() => hasBegun = true);
  await disk.world.advance(4_000);
  assertEquals([disk.written, hasBegun, disk.errors], [[8], false, []]);
  await disk.world.advance(1_000);
  assertEquals([hasBegun, disk.errors], [true, ["error TimeoutError: Cannot save: no success within 5000 ms"]]);
  disk.state = 1;
  persistence.changed();
  await disk.world.advance(0);
  assertEquals(disk.written, [8]);
  await disk.end();
  persistence.periodic();
  await disk.world.advance(0);
  assertEquals(disk.written, [8, 1]);
  await disk.end();
});

Deno.test("Persistence.stop() tells what no node was told yet", async () => {
  const disk = new SlowDisk();
  disk.load = () => Promise.resolve(new Uint8Array(3)) as never;
  const persistence = await disk.open();
  persistence.stop();
  assertEquals(disk.errors.length, 1);
  await disk.world.advance(0);
  assertEquals(disk.errors.length, 1);
  await disk.end();
});

Deno.test("Persistence tells of a failure no earlier than a node can listen", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  disk.save = () => Promise.reject(new Error("Full"));
  persistence.changed();
  await persistence.settled();
  assertEquals(disk.errors, []);
  await disk.world.advance(0);
  assertEquals(disk.errors, ["error Error: Full"]);
});

Deno.test("Persistence: once a newer incarnation has taken the name, the next one is newer still, and no member", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  disk.overlay.members.set("x", nodeSpec("x", 9));
  persistence.changed();
  await disk.world.advance(0);
  assertEquals([disk.written, disk.since], [[9], [null]]);
  await disk.end();
});

Deno.test("Persistence.settled() waits for what is being written", async () => {
  const disk = new SlowDisk();
  const persistence = await disk.open();
  let isSettled = false;
  persistence.changed();
  persistence.settled().then(() => isSettled = true);
  await disk.world.advance(1_000);
  disk.state = "more";
  persistence.changed();
  await disk.end();
  assertEquals([disk.written, isSettled], [["nothing", "more"], false]);
  await disk.end();
  assertEquals(isSettled, true);
});

Deno.test("A simulated node can keep its snapshot in a real file: virtual time waits for the disk", async () => {
  const folder = await Deno.makeTempDir();
  const world = new SimulatedWorld();
  const store = fileStore(`${folder}/x`);
  const node = await startPeerService({ name: "x", store, listen: "x:1", runtime: world.node("x") });
  let hasLeft = false;
  node.leave().then(() => hasLeft = true);
  await world.advance(1);
  assertEquals(hasLeft, true);
  assertEquals(decodeSnapshot(present(await store.load())).incarnation, node.spec.incarnation);
  world.crash("x");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("A node in peace writes nothing, and at most one time for each change of the membership", async () => {
  await using disks = await DiskCluster.start(["a", "b", "c", "d", "e"]);
  const { cluster } = disks;
  const before = disks.disk("a").saves;
  await cluster.advance(600_000);
  assertEquals(disks.disk("a").saves, before);
  for (let round = 1; round <= 10; round++) {
    cluster.crash("b");
    await cluster.advance(20_000);
    await disks.restart("b");
    await cluster.settled();
    await cluster.advance(5_000);
    assertLessOrEqual(disks.disk("a").saves, before + round);
  }
});
