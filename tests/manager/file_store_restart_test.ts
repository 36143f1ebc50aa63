// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { fileStore, type PeerServiceManager, type SnapshotStore } from "../../mod.ts";
import { flipBit } from "../flip_bit.ts";
import { scenario, type World } from "./worlds.ts";
import type { OneForEach } from "../tuples.ts";
import { firstOf, lastOf, nthOf, present } from "../values.ts";

const NAMES = ["a", "b", "c"] as const;

/** A scenario over TCP whose nodes keep what they know in files. */
function fileScenario(
  name: string,
  body: (world: World, store: (node: string) => SnapshotStore) => Promise<void>,
): void {
  scenario(name, async (world) => {
    const folder = await Deno.makeTempDir();
    try {
      await body(world, (node) => fileStore(`${folder}/${node}`));
    } finally {
      await world.end();
      await Deno.remove(folder, { recursive: true });
    }
  }, ["TCP"]);
}

/** Starts three nodes with a store each, which know each other. */
async function clusterOf(
  world: World,
  store: (node: string) => SnapshotStore,
): Promise<OneForEach<typeof NAMES, PeerServiceManager>> {
  const nodes: PeerServiceManager[] = [];
  for (const name of NAMES) nodes.push(await world.start(name, { store: store(name) }));
  const [first, ...others] = nodes;
  for (const node of others) if (first !== undefined) await node.syncJoin(first.spec);
  await world.settled(nodes);
  // One was started for each name.
  return nodes as OneForEach<typeof NAMES, PeerServiceManager>;
}

/** Addresses at which a node listened. */
function addressOf(node: PeerServiceManager): { listen: PeerServiceManager["spec"]["addresses"] } {
  return { listen: node.spec.addresses };
}

fileScenario(
  "Nodes that stop and start again at the same addresses find each other by their files",
  async (world, store) => {
    const before = await clusterOf(world, store);
    for (const node of before) await node.stop();
    const after: PeerServiceManager[] = [];
    for (const node of before) {
      after.push(await world.start(node.name, { store: store(node.name), ...addressOf(node) }));
      assertEquals<readonly string[]>(lastOf(after).members(), NAMES);
      assertGreater(lastOf(after).spec.incarnation, node.spec.incarnation);
    }
    await world.settled(after);
  },
);

fileScenario("A node that starts again at another port finds its cluster by its file", async (world, store) => {
  const [a, b, c] = await clusterOf(world, store);
  await b.stop();
  const again = await world.start("b", { store: store("b") });
  await world.settled([a, again, c]);
  const { port } = firstOf(again.spec.addresses);
  for (const node of [a, c]) assertEquals(node.membersForOrchestration()[1]?.addresses[0]?.port, port);
});

fileScenario("A node that leaves finds no node by its file", async (world, store) => {
  const [a, b, c] = await clusterOf(world, store);
  await c.leave();
  await c.stop();
  const again = await world.start("c", { store: store("c"), ...addressOf(c) });
  const later = world.clock.now() + 1_000;
  await world.until("five rounds have passed", () => world.clock.now() >= later);
  assertEquals([again.members(), a.members(), b.members()], [["c"], ["a", "b"], ["a", "b"]]);
});

fileScenario("leave() resolves once the disk has forgotten the members", async (world, store) => {
  const [a, b, c] = await clusterOf(world, store);
  await c.stop();
  const disk = store("c");
  const writes: PromiseWithResolvers<void>[] = [];
  const save = async (bytes: Uint8Array) => {
    writes.push(Promise.withResolvers());
    await lastOf(writes).promise;
    await disk.save(bytes);
  };
  const starting = world.start("c", { store: { load: () => disk.load(), save }, ...addressOf(c) });
  await world.until("it begins", () => writes.length === 1);
  firstOf(writes).resolve();
  const again = await starting;
  await world.settled([a, b, again]);
  for (const { resolve } of writes) resolve();
  const before = writes.length;
  let hasLeft = false;
  const leaving = again.leave().then(() => hasLeft = true);
  await world.until("it is alone", () => again.members().length === 1);
  const later = world.clock.now() + 200;
  await world.until("it has had time", () => world.clock.now() >= later);
  assertEquals([hasLeft, writes.length - before], [false, 1]);
  lastOf(writes).resolve();
  await world.until("it writes its new incarnation", () => writes.length - before === 2);
  assertEquals(hasLeft, false);
  lastOf(writes).resolve();
  await leaving;
});

fileScenario("A node whose file is damaged sets it aside, says so, and begins anew", async (world, store) => {
  const [a, b, c] = await clusterOf(world, store);
  await c.stop();
  const bytes = present(await store("c").load());
  flipBit(bytes, bytes.length - 1);
  await store("c").save(bytes);
  const again = await world.start("c", { store: store("c"), ...addressOf(c) });
  assertEquals(again.members(), ["c"]);
  await world.until("it says so", () => world.errors.length > 0);
  const [{ error, during }] = world.errors.splice(0) as [{ error: unknown; during: string }];
  assertEquals(during, "reading the store");
  assertStringIncludes(`${error}`, 'c.damaged-1", and the node begins anew');
  await world.settled([a, b, again]);
});

fileScenario(
  "Nodes that have changed addresses among each other find each other all the same",
  async (world, store) => {
    const before = await clusterOf(world, store);
    for (const node of before) await node.stop();
    const after: PeerServiceManager[] = [];
    for (const [index, { name }] of before.entries()) {
      after.push(
        await world.start(name, { store: store(name), ...addressOf(nthOf(before, (index + 1) % before.length)) }),
      );
    }
    await world.settled(after);
  },
);
