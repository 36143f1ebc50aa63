// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { describe } from "../../cli/describe.ts";
import { nameOf } from "../../cli/supervisor.ts";
import { delays, nameList, nodeTable, sightings } from "../../cli/summary.ts";
import { clusterOf, sighting, viewOf } from "./fixtures.ts";

Deno.test("nodeTable() tells what each node lists, sees, sent and received", () => {
  const model = clusterOf("a", "b", "c");
  model.act({ at: 1, kind: "kill", node: "c" });
  model.apply("b", viewOf("b", ["a"], { incoming: { a: { run: 1, received: 8, disordered: 1 } } }));
  assertEquals(nodeTable(model), [
    "node  state   listens on      members  sees up  sent  received  missing  disordered",
    "a     up      127.0.0.1:4000  a b c    b c        10        10        0           0",
    "b     up      127.0.0.1:4001  a b      a          10         8        2           1",
    "c     killed                                       0         0        0           0",
  ]);
});

Deno.test("sightings() tells what each node saw since a time, in seconds since the beginning", () => {
  const model = clusterOf("a", "b");
  model.observe(sighting("a", "down", "b", 3_500));
  model.observe(sighting("a", "suspect", "b", 3_600));
  model.observe(sighting("a", "up", "b", 5_250));
  assertEquals(sightings(model, 1_000, 2_000), ["a  2.50 s b down, 4.25 s b up", "b  nothing"]);
});

Deno.test("sightings() tells together what a node saw of several others at about the same time", () => {
  const model = clusterOf("a", "b");
  for (const [at, kind, node] of [[10, "join", "c"], [20, "up", "c"], [30, "join", "d"], [520, "join", "e"]] as const) {
    model.observe(sighting("a", kind, node, at));
  }
  model.observe(sighting("a", "up", "c", 40));
  assertEquals(sightings(model, 0, 5)[0], "a  0.01 s c d join, 0.02 s c up, 0.52 s e join, 0.04 s c up");
});

Deno.test("delays() tells each of a few times, and the range of many", () => {
  const seen = Array.from({ length: 13 }, (_, index) => sighting(nameOf(index), "down", "z", 110 + index));
  assertEquals(delays(seen.slice(0, 2), 100), "a after 10 ms, b after 11 ms");
  assertEquals(delays(seen, 100), "13 nodes after 10 to 22 ms");
  assertEquals(delays([], 100), "none");
});

Deno.test("nameList() sorts names and counts many", () => {
  assertEquals(nameList(["b", "a"]), "a b");
  assertEquals(nameList([]), "none");
  assertEquals(nameList(Array.from({ length: 13 }, (_, index) => nameOf(index))), "13 nodes");
});

Deno.test("nameOf() goes on after z", () => {
  assertEquals([0, 25, 26, 27, 51, 52, 701, 702].map(nameOf), ["a", "z", "aa", "ab", "az", "ba", "zz", "aaa"]);
});

Deno.test("describe() tells actions and observations in one line", () => {
  assertEquals(describe({ at: 0, kind: "pause", node: "b" }), "pause (SIGSTOP) b");
  assertEquals(describe(sighting("a", "down", "b")), "a: b is down");
  assertEquals(describe({ observer: "a", at: 0, kind: "listen", detail: "127.0.0.1:1" }), "a: listens on 127.0.0.1:1");
  assertEquals(describe({ observer: "a", at: 0, kind: "error", detail: "boom" }), "a: error boom");
});
