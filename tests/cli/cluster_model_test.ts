// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { ClusterModel } from "../../cli/cluster_model.ts";
import { disagreements } from "../../cli/disagreements.ts";
import { clusterOf, sighting, viewOf } from "./fixtures.ts";

function states(model: ClusterModel): Record<string, string> {
  return Object.fromEntries([...model.nodes].map(([name, { state }]) => [name, state]));
}

Deno.test("disagreements() finds none when every view is complete", () => {
  assertEquals(disagreements(clusterOf("a", "b", "c")), []);
});

Deno.test("disagreements() waits for processes that have not started or told their view", () => {
  const model = new ClusterModel();
  model.act({ at: 0, kind: "start", node: "a" });
  assertEquals(disagreements(model), ["a is still starting"]);
  model.apply("a", { type: "started", at: 0, address: "127.0.0.1:4000" });
  assertEquals(disagreements(model), ["a has not told its view"]);
  model.apply("a", viewOf("a", []));
  assertEquals(disagreements(model), []);
});

Deno.test("disagreements() tells members that are missing, only partly connected or not at all", () => {
  const model = clusterOf("a", "b", "c", "d");
  const members = { a: 1, b: 1, c: 1 };
  model.apply("a", viewOf("a", [], { members, connected: ["b"], fullyConnected: [] }));
  assertEquals(disagreements(model), [
    "a is not fully connected with b",
    "a is not connected with c",
    "a does not list d",
  ]);
});

Deno.test("disagreements() expects a killed node to be a member that is down", () => {
  const model = clusterOf("a", "b", "c");
  model.act({ at: 1, kind: "kill", node: "c" });
  assertEquals(disagreements(model), ["a sees c up, which is killed", "b sees c up, which is killed"]);
  model.apply("a", viewOf("a", ["b"]));
  model.apply("b", viewOf("b", ["a"], { members: { a: 1, b: 1, c: 1 } }));
  assertEquals(disagreements(model), ["a does not list c"]);
});

Deno.test("disagreements() expects the new run of a node that was restarted", () => {
  const model = clusterOf("a", "b");
  model.act({ at: 1, kind: "kill", node: "b" });
  model.act({ at: 2, kind: "start", node: "b" });
  model.apply("b", { type: "started", at: 3, address: "127.0.0.1:4009" });
  model.apply("b", viewOf("b", ["a"], { members: { a: 1, b: 2 } }));
  assertEquals(disagreements(model), ["a lists run 1 of b, not 2"]);
  model.apply("a", viewOf("a", ["b"], { members: { a: 1, b: 2 } }));
  assertEquals(disagreements(model), []);
});

Deno.test("disagreements() expects no node to know a node that left", () => {
  const model = clusterOf("a", "b", "c");
  model.act({ at: 1, kind: "leave", node: "c" });
  assertEquals(disagreements(model)[0], "a sees c up, which is leaving");
  model.apply("c", { type: "left", at: 2 });
  model.apply("a", viewOf("a", ["b"]));
  assertEquals(disagreements(model), ["b still knows c, which is no member"]);
  model.apply("b", viewOf("b", ["a"]));
  assertEquals(disagreements(model), []);
});

Deno.test("disagreements() asks a paused node for nothing", () => {
  const model = clusterOf("a", "b");
  model.act({ at: 1, kind: "pause", node: "b" });
  model.apply("b", viewOf("b", []));
  model.apply("a", viewOf("a", [], { members: { a: 1, b: 1 } }));
  assertEquals(disagreements(model), []);
  model.act({ at: 2, kind: "resume", node: "b" });
  assertEquals(disagreements(model), ["a is not connected with b", "b does not list a"]);
});

Deno.test("ClusterModel.exited() tells an exit that was asked for from one that was not", () => {
  const model = clusterOf("a", "b", "c");
  model.act({ at: 1, kind: "kill", node: "a" });
  model.apply("b", { type: "left", at: 1 });
  assertEquals(["a", "b", "c"].map((name) => model.exited(name, 0)), [false, false, true]);
  assertEquals(states(model), { a: "killed", b: "left", c: "failed" });
});

Deno.test("ClusterModel.act() forgets dead members when no node survived to remember them", () => {
  const model = clusterOf("a", "b");
  model.act({ at: 1, kind: "kill", node: "a" });
  model.act({ at: 2, kind: "kill", node: "b" });
  model.act({ at: 3, kind: "start", node: "c" });
  assertEquals(states(model), { a: "left", b: "left", c: "starting" });
});

Deno.test("ClusterModel.act() does not forget them while a paused node remembers", () => {
  const model = clusterOf("a", "b");
  model.act({ at: 1, kind: "kill", node: "a" });
  model.act({ at: 2, kind: "pause", node: "b" });
  model.act({ at: 3, kind: "start", node: "c" });
  assertEquals(states(model), { a: "killed", b: "paused", c: "starting" });
});

Deno.test("ClusterModel.log is bounded and keeps the newest", () => {
  const model = new ClusterModel();
  for (let at = 0; at < 250_000; at++) model.observe(sighting("a", "up", "b", at));
  assertEquals(model.log.length <= 100_000, true);
  assertEquals(model.log.at(-1)?.at, 249_999);
});
