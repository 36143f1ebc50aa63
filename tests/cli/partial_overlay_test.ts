// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { disagreements } from "../../cli/disagreements.ts";
import { sightingFailures, unused } from "../../cli/judgement.ts";
import { renderScreen } from "../../cli/screen.ts";
import { isFullMesh, strategies } from "../../cli/strategies.ts";
import { nameOf } from "../../cli/supervisor.ts";
import { overlayOf, sighting, viewOf } from "./fixtures.ts";
import { nthOf, present } from "../values.ts";

Deno.test("a partial overlay agrees when there is a way from everyone to everyone", () => {
  assertEquals(disagreements(overlayOf(["a", "b"], ["b", "c"], ["c", "d"])), []);
});

Deno.test("a partial overlay in two parts does not agree", () => {
  assertEquals(disagreements(overlayOf(["a", "b"], ["c", "d"])), [
    "there is no way from a to c",
    "there is no way from a to d",
  ]);
});

Deno.test("a link of a partial overlay needs both ends, and all its connections", () => {
  const model = overlayOf(["a", "b"], ["b", "c"], ["a", "c"]);
  model.apply("a", viewOf("a", ["b", "c"], { fullyConnected: ["c"] }));
  model.apply("c", viewOf("c", ["a"]));
  assertEquals(disagreements(model), [
    "a is not fully connected with b",
    "b sees c up, but not the other way round",
  ]);
});

Deno.test("no node in a partial overlay may see up who was killed, has left or began another incarnation", () => {
  const model = overlayOf(["a", "b"], ["a", "c"], ["a", "d"]);
  model.act({ at: 1, kind: "kill", node: "b" });
  model.act({ at: 1, kind: "leave", node: "c" });
  model.apply("c", { type: "left", at: 2 });
  model.act({ at: 1, kind: "kill", node: "d" });
  model.act({ at: 2, kind: "start", node: "d" });
  model.apply("d", { type: "started", at: 3, address: "127.0.0.1:4009" });
  assertEquals(disagreements(model), [
    "a sees b up, which is killed",
    "a sees c up, which is left",
    "a lists run 1 of d, not 2",
    "d has not told its view",
  ]);
  model.apply("a", viewOf("a", ["d"], { members: { a: 1, b: 1, d: 2 } }));
  model.apply("d", viewOf("d", ["a"], { members: { a: 1, d: 2 } }));
  assertEquals(disagreements(model), [], "that a still knows b is nothing wrong");
});

Deno.test("sightingFailures() of a partial overlay expects of neighbours only to see a node go", () => {
  const model = overlayOf(["a", "b"], ["b", "c"], ["c", "d"]);
  model.act({ at: 1, kind: "kill", node: "b" });
  model.observe(sighting("a", "down", "b"));
  assertEquals(sightingFailures(model), ["c never saw b down"]);
  model.observe(sighting("c", "down", "b"));
  assertEquals(sightingFailures(model), []);
});

Deno.test("sightingFailures() of a partial overlay wants a newcomer to be seen by a node", () => {
  const model = overlayOf(["a", "b"], ["b", "c"]);
  model.act({ at: 1, kind: "pause", node: "c" });
  model.observe(sighting("b", "down", "c"));
  model.act({ at: 2, kind: "resume", node: "c" });
  assertEquals(sightingFailures(model), ["no node saw c up"]);
  model.observe(sighting("a", "up", "c"));
  assertEquals(sightingFailures(model), []);
});

Deno.test("sightingFailures() of a partial overlay remembers what was missed when more is done to the same node", () => {
  const model = overlayOf(["a", "b"]);
  model.act({ at: 1, kind: "kill", node: "b" });
  model.act({ at: 2, kind: "start", node: "b" });
  model.observe(sighting("a", "up", "b"));
  assertEquals(sightingFailures(model), ["a never saw b down"]);
});

Deno.test("sightingFailures() of a partial overlay has nothing against neighbours that come and go", () => {
  const model = overlayOf(["a", "b"], ["b", "c"]);
  model.observe(sighting("a", "down", "b"));
  model.act({ at: 1, kind: "leave", node: "b" });
  model.observe(sighting("c", "leave", "b"));
  model.observe(sighting("c", "down", "b"));
  assertEquals(sightingFailures(model), []);
});

Deno.test("unused() of a partial overlay asks for messages only to those that the sender knows", () => {
  const model = overlayOf(["a", "b"], ["b", "c"]);
  assertEquals(unused(model), []);
  model.apply("a", viewOf("a", ["b"], { members: { a: 1, b: 1, c: 1 } }));
  assertEquals(unused(model), ["No message went from a to c"]);
});

Deno.test("renderScreen() shows members of a partial overlay that are no neighbours as known, not as down", () => {
  const model = overlayOf(["a", "b"], ["b", "c"]);
  model.apply("a", viewOf("a", ["b"], { members: { a: 1, b: 1, c: 1 } }));
  const view = { model, title: "", selected: "a", notice: "", help: false, beginning: 0, now: 0 };
  assertStringIncludes(renderScreen(view, { columns: 80, rows: 24 }, false).join("\n"), "a sees up: b; knows: c;");
  const many = overlayOf(...Array.from({ length: 30 }, (_, index) => [nameOf(index), nameOf(index + 1)] as const));
  const lines = renderScreen({ ...view, model: many, selected: "b" }, { columns: 80, rows: 24 }, false);
  assertStringIncludes(nthOf(lines, 1), "sees up");
  assertEquals(present(lines.find((line) => line.startsWith("> b"))).endsWith("  a c"), true);
});

Deno.test("one of the strategies is a full mesh, and the others are overlays", () => {
  assertEquals(Object.keys(strategies).filter(isFullMesh), ["fullMesh"]);
  const metadata = present(present(strategies.clientServer).metadata);
  const roles = ["a", "b", "c"].map((name) => metadata(name).tag);
  assertEquals(roles, ["server", "server", "client"]);
  assert(Object.keys(strategies).includes("hyparview"));
});
