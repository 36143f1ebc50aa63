// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Groups, SharedMap } from "../../groups/mod.ts";
import { deltaFromValue, deltaOf, deltaToValue, type MapOperation } from "../../groups/shared_map/map_message.ts";
import { MapReplica } from "../../groups/shared_map/map_replica.ts";
import { memoryStore, SimulatedCluster } from "../../testing/mod.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { seededRandom } from "../seeded_random.ts";

/** The kinds of requests of one map to another one. */
const [DIGEST, DELTA] = [0, 1];

/** Operations that are kept side by side on one key. */
const SIDE_BY_SIDE_MAX = 1_000;
/** Counters beyond gaps that are remembered. */
const CLOUDS_MAX = 100_000;

function operation(actor: string, counter: number, key: string, stamp: number): MapOperation {
  return { actor, counter, key, stamp, value: encode(stamp), replaced: [] };
}

function replica(name: string): MapReplica {
  let names = 0;
  return new MapReplica(() => `1 ${names++} ${name}`);
}

/** The counters beyond gaps that a replica tells others of. */
function cloudsOf(map: MapReplica): number {
  return [...map.summary().contexts.values()].reduce((sum, { cloud }) => sum + cloud.length, 0);
}

Deno.test("A member that has said of a node's next writes that they are over keeps none of them from others", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "liar"] });
  const [a, b] = ["a", "b"].map((name) => new SharedMap<number>(cluster.node(name), "m"));
  a?.set("before", 1);
  await cluster.advance(3_000);
  const liar = cluster.node("liar");
  const ask = (name: string, message: unknown) => cluster.wait(liar.call(name, "maps/m", message));
  const [, contexts] = await ask("a", [DIGEST, 1, 1]) as [unknown, [string, number][]];
  const lies = contexts.map(([actor]) => [actor, Number.MAX_SAFE_INTEGER]);
  for (const name of ["a", "b"]) await ask(name, [DELTA, [[], [], [], lies]]);
  for (const key of ["x", "y", "z"]) {
    a?.set(key, 2);
    await cluster.advance(5_000);
  }
  for (const map of [a, b]) assertEquals([...map?.entries() ?? []], [["before", 1], ["x", 2], ["y", 2], ["z", 2]]);
});

Deno.test("A value that no reader could read is refused, and a value keeps nothing of the buffer that it came in", () => {
  const sent = deltaToValue(deltaOf([operation("1 a", 1, "k", 7)]));
  const arrived = decode(encode(sent));
  const [taken] = deltaFromValue(arrived).operations;
  assertEquals(taken, operation("1 a", 1, "k", 7));
  assertEquals(taken?.value?.buffer.byteLength, 1);
  const unreadable = deltaOf([{ ...operation("1 a", 1, "k", 7), value: new Uint8Array([0x92, 1]) }]);
  assertThrows(() => deltaFromValue(deltaToValue(unreadable)), SyntaxError);
});

Deno.test("Of writes of one key that did not know of each other, the latest are kept, the same ones on all nodes", () => {
  const many = Array.from(
    { length: 20 * SIDE_BY_SIDE_MAX },
    (_, index) => operation(`1 ${index} liar`, 1, "k", index + 1),
  );
  const replicas = ["a", "b", "c"].map((name, seed) => {
    const one = replica(name);
    one.merge(deltaOf(seed === 0 ? many : seededRandom(seed).shuffle(many)), 0);
    return one;
  });
  for (const one of replicas) {
    assertEquals(one.values("k").map(({ stamp }) => stamp), many.slice(-SIDE_BY_SIDE_MAX).map(({ stamp }) => stamp));
    assertEquals(one.digest, replicas[0]?.digest);
  }
});

Deno.test("Gaps between the numbers of writes that were made up fill no memory, and hold no other write up", () => {
  const map = replica("a");
  for (let first = 0; first < CLOUDS_MAX + 50; first += 50) {
    const replaced = Array.from({ length: 50 }, (_, index) => ({ actor: "1 liar", counter: 2 * (first + index) + 2 }));
    map.merge(deltaOf([{ ...operation("1 liar 2", first / 50 + 1, "k", first + 1), replaced }]), 0);
  }
  assertEquals(cloudsOf(map), CLOUDS_MAX);
  const honest = replica("b");
  const [, second, third] = [1, 2, 3].map((stamp) => honest.write(`k${stamp}`, encode(stamp), stamp, 0).operation);
  assert(second !== undefined && third !== undefined);
  map.merge(deltaOf([second, third]), 0);
  assertEquals([...map.keys()], ["k"]);
  const delta = honest.deltaFor(map.summary());
  assert(map.hasRoomFor(delta, 1_000_000));
  map.merge(delta, 0);
  assertEquals([...map.keys()].sort(), ["k", "k1", "k2", "k3"]);
});

Deno.test("A stored map for which there is no room any more is set aside, not written over", async () => {
  const disk = memoryStore();
  await using cluster = await SimulatedCluster.start({ nodes: ["a"] });
  const map = new SharedMap<Uint8Array>(cluster.node("a"), "m", { store: disk });
  map.set("large", new Uint8Array(10_000));
  await cluster.wait(map.flush());
  const stored = disk.bytes;
  cluster.crash("a");
  const node = await cluster.startNode("a");
  const errors: string[] = [];
  node.addEventListener("error", ({ detail: { error } }) => errors.push(`${error}`));
  const again = new SharedMap<Uint8Array>(node, "m", { store: disk, maxBytes: 1_024 });
  await cluster.wait(again.ready);
  again.set("small", new Uint8Array(1));
  await cluster.wait(again.flush());
  assertEquals(disk.aside, [stored]);
  assertEquals(errors, ['RangeError: Cannot take the map "m" from its store: it is too large for "maxBytes"']);
});

Deno.test("A member that answers nothing is asked for its map no second time", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "liar"] });
  const liar = cluster.node("liar");
  let asked = 0;
  liar.register("maps/m", () => {
    asked++;
    return new Promise(() => {});
  });
  new Groups(liar, { scope: "maps" }).join("m", { handler: () => {} });
  new SharedMap(cluster.node("a"), "m");
  await cluster.advance(60_000);
  assertEquals(asked, 1);
});
