// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { Action, ClusterModel, Observation } from "../../cli/cluster_model.ts";
import { disordered, restless, sightingFailures, undelivered, unused } from "../../cli/judgement.ts";
import { clusterOf, sighting, viewOf } from "./fixtures.ts";

/** Does something to `node` and lets `observers` see what comes of it. */
function step(
  model: ClusterModel,
  kind: Action["kind"],
  node: string,
  seen: Observation["kind"],
  ...observers: string[]
): void {
  model.act({ at: 1, kind, node });
  for (const observer of observers) model.observe(sighting(observer, seen, node));
}

Deno.test("sightingFailures() finds none in a run in which every node saw everything", () => {
  const model = clusterOf("a", "b", "c", "d");
  step(model, "kill", "b", "down", "a", "c", "d");
  step(model, "start", "b", "up", "a", "c", "d");
  for (const node of ["a", "c", "d"]) model.observe(sighting("b", "up", node));
  step(model, "pause", "c", "down", "a", "b", "d");
  step(model, "resume", "c", "up", "a", "b", "d");
  step(model, "leave", "d", "leave", "a", "b", "c");
  for (const observer of ["a", "b", "c"]) model.observe(sighting(observer, "down", "d"));
  assertEquals(sightingFailures(model), []);
});

Deno.test("sightingFailures() misses each sighting that did not come", () => {
  const model = clusterOf("a", "b", "c");
  step(model, "kill", "c", "down", "a");
  assertEquals(sightingFailures(model), ["b never saw c down"]);
  step(model, "start", "c", "up", "b");
  for (const node of ["a", "b"]) model.observe(sighting("c", "up", node));
  assertEquals(sightingFailures(model), ["b never saw c down", "a never saw c up"]);
});

Deno.test("sightingFailures() expects a restarted node to see the others", () => {
  const model = clusterOf("a", "b");
  step(model, "kill", "b", "down", "a");
  step(model, "start", "b", "up", "a");
  assertEquals(sightingFailures(model), ["b never saw a up"]);
});

Deno.test("sightingFailures() tells a node that was seen down without a cause", () => {
  const model = clusterOf("a", "b", "c");
  step(model, "kill", "c", "down", "a", "b");
  model.observe(sighting("a", "down", "b"));
  assertEquals(sightingFailures(model), ["a saw b down without a cause"]);
});

Deno.test("sightingFailures() tells a node that went down again after its recovery", () => {
  const model = clusterOf("a", "b");
  step(model, "pause", "b", "down", "a");
  step(model, "resume", "b", "up", "a");
  model.observe(sighting("a", "down", "b"));
  assertEquals(sightingFailures(model), ["a saw b down without a cause"]);
});

Deno.test("sightingFailures() tells when a resumed node accuses the others for its own lateness", () => {
  const model = clusterOf("a", "b");
  step(model, "pause", "b", "down", "a");
  step(model, "resume", "b", "up", "a");
  model.observe(sighting("b", "down", "a"));
  assertEquals(sightingFailures(model), ["b saw a down without a cause"]);
});

Deno.test("sightingFailures() does not listen to nodes that are leaving or dead", () => {
  const model = clusterOf("a", "b");
  step(model, "leave", "b", "leave", "a");
  model.observe(sighting("b", "down", "a"));
  assertEquals(sightingFailures(model), []);
});

Deno.test("sightingFailures() tells a process that exited by itself", () => {
  const model = clusterOf("a", "b");
  model.observe({ observer: "a", kind: "exit", at: 1, detail: "SIGSEGV" });
  assertEquals(sightingFailures(model), ["a exited unexpectedly"]);
});

Deno.test("undelivered(), unused() and disordered() find nothing when all that was accepted came in order", () => {
  const model = clusterOf("a", "b", "c");
  assertEquals([...undelivered(model), ...unused(model), ...disordered(model)], []);
});

Deno.test("undelivered() counts what was accepted and did not come", () => {
  const model = clusterOf("a", "b");
  model.apply("b", viewOf("b", ["a"], { incoming: { a: { run: 1, received: 7, disordered: 0 } } }));
  assertEquals(undelivered(model), ["3 of 10 messages from a to b were lost"]);
});

Deno.test("undelivered() does not count messages that were never accepted", () => {
  const model = clusterOf("a", "b");
  model.apply("a", viewOf("a", ["b"], { outgoing: { b: { run: 1, attempted: 20, accepted: 10 } } }));
  assertEquals(undelivered(model), []);
});

Deno.test("disordered() tells messages out of order, and unused() pairs without any", () => {
  const model = clusterOf("a", "b");
  model.apply("a", viewOf("a", ["b"], { outgoing: {}, incoming: { b: { run: 1, received: 10, disordered: 2 } } }));
  assertEquals(unused(model), ["No message went from a to b"]);
  assertEquals(disordered(model), ["2 messages from b to a came twice or out of order"]);
});

Deno.test("the traffic of a killed process and of its successor are told apart", () => {
  const model = clusterOf("a", "b");
  model.act({ at: 1, kind: "kill", node: "b" });
  assertEquals([...undelivered(model), ...unused(model), ...disordered(model)], []);
  model.act({ at: 2, kind: "start", node: "b" });
  model.apply("b", { type: "started", at: 3, address: "127.0.0.1:4009" });
  model.apply("b", viewOf("b", ["a"]));
  assertEquals(undelivered(model), ["10 of 10 messages from b to a were lost"]);
  assertEquals(unused(model), ["No message went from a to b"]);
});

Deno.test("restless() names the living nodes that still send", () => {
  const model = clusterOf("a", "b", "c");
  model.apply("a", viewOf("a", ["b"], { quiet: true }));
  model.act({ at: 1, kind: "kill", node: "c" });
  assertEquals(restless(model), ["b still sends"]);
});
