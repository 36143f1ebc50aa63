// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { seededRandom } from "../seeded_random.ts";
import { AttributeWorld } from "./attribute_world.ts";
import { namesOf, partialViews } from "./broadcast_world.ts";

function world(names: readonly string[], seed = 1, options = {}): AttributeWorld {
  return new AttributeWorld(seededRandom(seed), names, options);
}

Deno.test("A change reaches everyone in one hop where all are connected, with one message a node", () => {
  const names = namesOf(200);
  const cluster = world(names);
  cluster.connect();
  const before = cluster.messages;
  cluster.set("node-7", "role", "db");
  cluster.settle();
  assertEquals(cluster.messages - before, 199);
  for (const name of names) assertEquals(cluster.seen(name, "node-7"), { role: "db" });
});

Deno.test("200 nodes with 20 attributes each agree within log2(N) + 2 rounds by gossip alone", () => {
  const names = namesOf(200);
  const cluster = world(names);
  cluster.connect();
  cluster.isLost = () => true;
  for (const name of names) {
    const keys = Array.from({ length: 20 }, (_, index) => [`key-${index}`, `${name}:${index}`]);
    cluster.setAll(name, Object.fromEntries(keys));
  }
  cluster.settle();
  cluster.isLost = () => false;
  for (let round = 0; round < Math.ceil(Math.log2(200)) + 2; round++) cluster.round();
  const isComplete = (at: string) => names.every((of) => Object.keys(cluster.seen(at, of)).length === 20);
  assertEquals(names.filter((name) => !isComplete(name)), []);
});

Deno.test("A round in which nothing changed costs digests and nothing else; one without attributes costs nothing", () => {
  const cluster = world(namesOf(20));
  cluster.connect();
  cluster.round();
  assertEquals(cluster.messages, 0);
  cluster.set("node-0", "a", "1");
  cluster.settle();
  const before = cluster.messages;
  cluster.round();
  assertEquals(cluster.messages - before, 20 * 2);
});

Deno.test("A withdrawn attribute is withdrawn everywhere, also where the withdrawal itself was lost", () => {
  const cluster = world(namesOf(8));
  cluster.connect();
  for (const key of ["a", "b", "c"]) cluster.set("node-0", key, key);
  cluster.settle();
  cluster.isLost = (_, to) => to !== "node-1";
  cluster.set("node-0", "b", undefined);
  cluster.set("node-0", "d", "d");
  cluster.settle();
  assertEquals(cluster.seen("node-2", "node-0"), { a: "a", b: "b", c: "c" });
  cluster.isLost = () => false;
  for (let round = 0; round < 5; round++) cluster.round();
  for (const name of cluster.nodes.keys()) assertEquals(cluster.seen(name, "node-0"), { a: "a", c: "c", d: "d" });
});

Deno.test("What listeners were told is what can be seen, and nothing withdrawn or older ever shows, in any order of events", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const names = namesOf(5);
    const cluster = world(names, seed);
    cluster.connect();
    const truth = new Map<string, Map<string, string>>(names.map((name) => [name, new Map()]));
    const newest = new Map<string, number>();
    for (let step = 0; step < 120; step++) {
      cluster.isLost = () => random.next() < 0.5;
      const name = random.pick(names);
      const key = `k${random.int(4)}`;
      const value = random.next() < 0.3 ? undefined : `${String(step).padStart(4, "0")}`;
      cluster.set(name, key, value);
      const own = truth.get(name);
      if (value === undefined) own?.delete(key);
      else own?.set(key, value);
      if (random.next() < 0.4) cluster.round();
      cluster.settle();
      for (const at of names) {
        for (const of of names) {
          for (const [key, value] of Object.entries(cluster.seen(at, of))) {
            const place = `${at}<${of}/${key}`;
            assert(Number(value) >= (newest.get(place) ?? 0), `seed ${seed}: ${place} goes back to ${value}`);
            newest.set(place, Number(value));
            assertEquals(at === of ? value : cluster.at(at).told.get(`${of}/${key}`), value);
          }
        }
      }
    }
    cluster.isLost = () => false;
    for (let round = 0; round < 8; round++) cluster.round();
    for (const at of names) {
      for (const of of names) {
        assertEquals(new Map(Object.entries(cluster.seen(at, of)).sort()), new Map([...truth.get(of) ?? []].sort()));
      }
      const expected = names.flatMap((of) => [...truth.get(of) ?? []].map(([key, value]) => [`${of}/${key}`, value]));
      assertEquals([...cluster.at(at).told].sort(), expected.sort());
    }
  }
});

Deno.test("A newer incarnation replaces what the older one said, and an older one never comes back", () => {
  const cluster = world(["a", "b", "c"]);
  cluster.connect();
  cluster.set("a", "old", "1");
  cluster.settle();
  const old = cluster.at("a").attributes;
  cluster.restart("a");
  cluster.connect();
  cluster.set("a", "new", "2");
  cluster.settle();
  assertEquals(cluster.seen("b", "a"), { new: "2" });
  for (const name of ["b", "c", "d"]) cluster.perform("a", old.addNeighbour(name));
  cluster.settle();
  for (let round = 0; round < 3; round++) cluster.round();
  assertEquals(cluster.seen("b", "a"), { new: "2" });
  assertEquals(cluster.at("b").told.get("a/old"), undefined);
});

Deno.test("Nothing grows with 1,000 restarts of an owner", () => {
  const cluster = world(["a", "b"]);
  cluster.connect();
  let first = 0;
  for (let restart = 0; restart < 1_000; restart++) {
    cluster.restart("a");
    cluster.connect();
    cluster.set("a", "role", "db");
    cluster.set("a", `tmp-${restart}`, "1");
    cluster.set("a", `tmp-${restart}`, undefined);
    cluster.settle();
    if (restart === 0) first = cluster.at("b").attributes.bytes;
  }
  assertEquals(cluster.seen("b", "a"), { role: "db" });
  assertEquals(cluster.at("b").attributes.bytes, first);
});

Deno.test("Attributes of a node that is down are hidden and come back with it; those of one that left are gone", () => {
  const cluster = world(["a", "b", "c"]);
  cluster.connect();
  cluster.set("a", "role", "db");
  cluster.settle();
  const { attributes, told } = cluster.at("b");
  cluster.perform("b", attributes.show("a", 1, false));
  assertEquals(cluster.seen("b", "a"), {});
  assertEquals(told.size, 0);
  cluster.perform("b", attributes.show("a", 1, true));
  assertEquals(told.get("a/role"), "db");
  cluster.perform("b", attributes.forget("a"));
  for (let round = 0; round < 3; round++) cluster.round();
  assertEquals(cluster.seen("b", "a"), {});
  assertEquals(told.size, 0);
});

Deno.test("On a partial view attributes reach nodes that are no node's neighbours, and expire unless they are renewed", () => {
  const random = seededRandom(3);
  const graph = partialViews(random, 60, 4);
  const cluster = new AttributeWorld(random, [...graph.keys()], { expireAfter: 30_000 });
  for (const [name, linked] of graph) {
    for (const other of linked) cluster.perform(name, cluster.at(name).attributes.addNeighbour(other));
  }
  cluster.set("node-0", "role", "db");
  cluster.settle();
  const ignorant = () => [...graph.keys()].filter((name) => cluster.seen(name, "node-0").role !== "db");
  assertEquals(ignorant(), []);
  for (let round = 0; round < 120; round++) cluster.round();
  assertEquals(ignorant(), []);
  const others = [...graph.keys()].filter((name) => name !== "node-0");
  cluster.nodes.delete("node-0");
  for (let round = 0; round < 45; round++) cluster.round();
  for (const name of others) assertEquals(cluster.seen(name, "node-0"), {});
  for (let round = 0; round < 60; round++) cluster.round();
  for (const name of others) assertEquals(cluster.at(name).attributes.bytes, 0);
});

Deno.test("A node refutes what others say in its name", () => {
  const cluster = world(["a", "b", "c"]);
  cluster.connect();
  cluster.set("a", "role", "db");
  cluster.settle();
  const forged = {
    kind: "delta",
    deltas: [{
      owner: "a",
      incarnation: 1,
      version: 9,
      from: 0,
      entries: [{ key: "role", version: 9, value: new TextEncoder().encode("evil") }],
      live: null,
    }],
    wanted: [],
  } as const;
  cluster.perform("b", cluster.at("b").attributes.receive("c", forged, 0));
  assertEquals(cluster.seen("b", "a"), { role: "evil" });
  for (let round = 0; round < 4; round++) cluster.round();
  for (const name of ["a", "b", "c"]) assertEquals(cluster.seen(name, "a"), { role: "db" });
});

Deno.test("A word about a node that is no member is not kept, unless that node says it itself", () => {
  const cluster = world(["a", "b"]);
  cluster.connect();
  const delta = { owner: "x", incarnation: 1, version: 1, from: 0, entries: [], live: null };
  const { attributes } = cluster.at("a");
  attributes.receive("b", { kind: "delta", deltas: [delta], wanted: [] }, 0);
  assertEquals(attributes.get("x").size, 0);
  const entries = [{ key: "k", version: 1, value: new Uint8Array(3) }];
  attributes.receive("x", { kind: "delta", deltas: [{ ...delta, entries }], wanted: [] }, 0);
  assertEquals(attributes.get("x").size, 0);
  attributes.show("x", 1, true);
  assertEquals(attributes.get("x").size, 1);
});

Deno.test("set() refuses what is larger than the bound, and an owner that exceeds it is not believed", () => {
  const cluster = world(["a", "b"], 1, { bytesMax: 1_000 });
  cluster.connect();
  const { attributes } = cluster.at("a");
  assertThrows(() => attributes.set("k", new Uint8Array(1_000)), RangeError, 'Cannot set attribute "k"');
  assertEquals(cluster.seen("a", "a"), {});
  const entries = [{ key: "k", version: 1, value: new Uint8Array(2_000) }];
  const delta = { owner: "b", incarnation: 1, version: 1, from: 0, entries, live: null };
  attributes.receive("b", { kind: "delta", deltas: [delta], wanted: [] }, 0);
  assertEquals(attributes.get("b").size, 0);
});

Deno.test("restart() keeps what a node says of itself under its new incarnation, and forgets the others", () => {
  const cluster = world(["a", "b"]);
  cluster.connect();
  cluster.set("a", "role", "db");
  cluster.set("b", "role", "web");
  cluster.settle();
  const { attributes } = cluster.at("a");
  cluster.perform("a", attributes.restart({ name: "a", incarnation: 2 }));
  assertEquals(cluster.seen("a", "a"), { role: "db" });
  assertEquals(cluster.seen("a", "b"), {});
  assertEquals([...cluster.at("a").told], [["a/role", "db"]]);
});
