// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Groups over strategies with which no node knows all others: members are known everywhere by attributes, and reached over others. */

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { Groups, Names, SharedMap } from "../../groups/mod.ts";
import { hyparview, NotConnectedError } from "../../mod.ts";
import { Placement } from "../../placement/mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { rendezvous } from "../../wire/rendezvous.ts";
import { entryOf, firstOf, nthOf, present } from "../values.ts";

/** A cluster at rest, of which each node knows a part. */
async function partial(nodes = 50): Promise<SimulatedCluster> {
  const cluster = await SimulatedCluster.start({ nodes, options: { strategy: hyparview() } });
  await cluster.advance(30_000);
  return cluster;
}

Deno.test("Groups made late know members that joined before, on nodes that this one does not know as well", async () => {
  await using cluster = await partial();
  const members = cluster.nodes.slice(0, 30);
  for (const node of members) new Groups(node).join("g");
  await cluster.advance(15_000);
  const names = members.map(({ name }) => name).sort();
  for (const node of cluster.nodes) {
    assert(node.members().length < 40, `${node.name} knows ${node.members().length} nodes`);
    assertEquals(new Groups(node).members("g").map((entry) => entry.node), names, node.name);
  }
});

Deno.test("A node that asks for a task late runs it no second time, though it does not know the node that runs it", async () => {
  await using cluster = await partial();
  for (const node of cluster.nodes) new Groups(node).join("g");
  await cluster.advance(15_000);
  // A task that falls to a node which the next in line does not know.
  const all = cluster.names.map((name) => ({ name, weight: 1 }));
  const lines = Array.from(
    { length: 100 },
    (_, index) => ({ task: `t${index}`, order: rendezvous(`t${index}`, all, 2) }),
  );
  const { task, order } = present(lines.find(({ order: [first, second] }) => {
    return !cluster.node(present(second).name).member(present(first).name);
  }));
  const late = nthOf(order, 1).name;
  const running = new Set<string>();
  const ask = (name: string) => {
    new Placement(cluster.node(name), { group: "g" }).runOnOne(task, async (signal) => {
      running.add(name);
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      running.delete(name);
    });
  };
  for (const name of cluster.names) if (name !== late) ask(name);
  await cluster.advance(15_000);
  assertEquals([...running], [firstOf(order).name]);
  ask(late);
  await cluster.advance(15_000);
  assertEquals([...running], [firstOf(order).name]);
});

Deno.test("A shared map is ready with what a node has that this one has no connection with, and gets what it missed from that", async () => {
  await using cluster = await partial(20);
  const writer = cluster.node("n1");
  const reader = present(cluster.nodes.find(({ name }) => name !== "n1" && !writer.isConnected(name)));
  const written = new SharedMap<number>(writer, "m").set("early", 1);
  await cluster.advance(10_000);
  const read = new SharedMap<number>(reader, "m");
  await cluster.wait(read.ready);
  assertEquals([...read.entries()], [["early", 1]]);

  const others = cluster.names.filter((name) => name !== reader.name);
  cluster.cut(reader.name, others);
  written.set("missed", 2);
  read.set("cut off", 3);
  await cluster.advance(10_000);
  cluster.heal();
  await cluster.advance(30_000);
  for (const map of [written, read]) assertEquals([...map.entries()], [["cut off", 3], ["early", 1], ["missed", 2]]);
});

Deno.test("A shared map of a few nodes, of which only some are neighbours, comes to the same on all", async () => {
  await using cluster = await partial(20);
  const first = present(cluster.nodes.find((node) => node.connected().length > 1));
  const names = [first.name, firstOf(first.connected())];
  names.push(...cluster.names.filter((name) => !names.some((near) => cluster.node(near).isConnected(name))).slice(-2));
  assertEquals(names.length, 4);
  const maps = names.map((name) => new SharedMap<string>(cluster.node(name), "m"));
  // What is told at once is lost.
  for (const name of names) {
    cluster.node(name).addInterpositionFun(
      "loss",
      ({ message, type }) => isPublished(message) && type === "receive_message" ? undefined : message,
    );
  }
  await cluster.advance(10_000);
  for (const [index, map] of maps.entries()) map.set(`${index}`, "x");
  await cluster.advance(60_000);
  for (const map of maps) assertEquals([...map.keys()], names.map((_, index) => `${index}`));
});

/** Whether a message is one that `publish()` has sent. */
function isPublished(message: unknown): boolean {
  return Array.isArray(message) && message[0] === 0 && message[1] === "m";
}

Deno.test("publish() and call() reach every member, also those with which this node has no connection", async () => {
  await using cluster = await partial();
  const heard: string[] = [];
  const members = cluster.nodes.slice(0, 10);
  for (const node of members) {
    new Groups(node).join("g", {
      handler(message) {
        heard.push(`${node.name} ${message}`);
        return node.name;
      },
    });
  }
  await cluster.advance(15_000);
  const names = members.map(({ name }) => name);
  const asker = present(cluster.nodes.slice(10).find((node) => !names.some((name) => node.isConnected(name))));
  const groups = new Groups(asker);
  groups.publish("g", "published");
  await cluster.advance(2_000);
  assertEquals(heard.sort(), names.map((name) => `${name} published`).sort());
  const replies = names.map(() => groups.call("g", "called", { pick: "round-robin", timeout: 2_000 }));
  assertEquals((await cluster.wait(Promise.all(replies))).sort(), names.toSorted());
});

Deno.test("publish() to more members than its node knows other nodes tells nothing to nodes without groups", async () => {
  await using cluster = await partial();
  let heard = 0;
  const told: string[] = [];
  const members = cluster.nodes.slice(0, 42);
  for (const node of cluster.nodes) node.addEventListener("undeliverable", ({ detail }) => told.push(detail.reason));
  for (const node of members) new Groups(node).join("g", { handler: () => void heard++ });
  await cluster.advance(15_000);
  const [first] = members;
  assert(present(first).members().length < members.length);
  new Groups(present(first)).publish("g", null);
  await cluster.advance(5_000);
  assertEquals([heard, told], [members.length, []]);
});

Deno.test("call() asks another member where one has died, or lost its connection with this node to another neighbour", async () => {
  await using cluster = await partial();
  const begun: string[] = [];
  for (const node of cluster.nodes.slice(0, 12)) {
    new Groups(node).join("g", {
      handler() {
        begun.push(node.name);
        return node.name;
      },
    });
  }
  await cluster.advance(15_000);
  const groups = new Groups(cluster.node("n50"));
  for (const name of ["n1", "n2", "n3", "n4"]) cluster.crash(name);
  const replies = Array.from({ length: 24 }, () => groups.call("g", null, { pick: "round-robin" }));
  const answered = await cluster.wait(Promise.all(replies));
  assertEquals(begun.length, 24, "each is handled once");
  assertEquals(new Set(answered).size, 8);
});

Deno.test("call() rejects where its member has died after it began", async () => {
  await using cluster = await partial();
  const begun = Promise.withResolvers<void>();
  for (const name of ["n1", "n2"]) {
    new Groups(cluster.node(name)).join("g", {
      handler() {
        begun.resolve();
        return new Promise(() => {});
      },
    });
  }
  await cluster.advance(15_000);
  const call = new Groups(cluster.node("n50")).call("g", null, { pick: "round-robin" });
  const failed = assertRejects(() => call, NotConnectedError, '"n1" is gone');
  await cluster.wait(begun.promise);
  await cluster.advance(1_000);
  cluster.crash("n1");
  await cluster.wait(failed);
});

Deno.test("A name that two nodes claim which do not know each other has one owner soon, and no claim waits for a node that is gone", async () => {
  await using cluster = await partial();
  const names = new Map(cluster.nodes.map((node) => [node.name, new Names(node)]));
  await cluster.advance(15_000);
  const strangers = cluster.nodes.flatMap((node) =>
    cluster.names.filter((name) => name > node.name && !node.member(name)).map((name) => [node.name, name])
  );
  assert(strangers.length >= 10, `${strangers.length}`);
  for (const [index, pair] of strangers.slice(0, 3).entries()) {
    const claims = await cluster.wait(Promise.allSettled(pair.map((name) => entryOf(names, name).claim(`x${index}`))));
    await cluster.advance(2_000);
    const kept = claims.filter((claim) => claim.status === "fulfilled" && !claim.value.signal.aborted);
    assertEquals(kept.length, 1, `${pair} of x${index}`);
  }
  for (let index = 40; index <= 49; index++) cluster.crash(`n${index}`);
  using claim = await cluster.wait(entryOf(names, "n50").claim("y"));
  assertFalse(claim.signal.aborted);
});

Deno.test("callOwner() reaches the owner of a key over others, and the next one once that is gone", async () => {
  await using cluster = await partial();
  for (const node of cluster.nodes) {
    node.register("name", () => node.name);
    new Groups(node).join("g");
  }
  await cluster.advance(15_000);
  const placements = cluster.nodes.map((node) => new Placement(node, { group: "g" }));
  await cluster.advance(2_000);
  const owner = firstOf(placements).owner("k");
  const ask = () => Promise.all(placements.map((placement) => placement.callOwner("k", "name", null)));
  assertEquals(new Set(await cluster.wait(ask())), new Set([owner]));

  const asker = nthOf(
    placements,
    cluster.names.findIndex((name) => name !== owner && !cluster.node(name).isConnected(owner)),
  );
  cluster.crash(owner);
  const next = await cluster.wait(asker.callOwner("k", "name", null));
  assertEquals(next, asker.owner("k"));
  assert(next !== owner);
});
