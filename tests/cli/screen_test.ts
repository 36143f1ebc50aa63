// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ClusterModel } from "../../cli/cluster_model.ts";
import { renderScreen, type ScreenView } from "../../cli/screen.ts";
import { nameOf } from "../../cli/supervisor.ts";
import { clusterOf, sighting, viewOf } from "./fixtures.ts";
import { firstOf, lastOf, nthOf } from "../values.ts";

const small = { columns: 80, rows: 24 };

function viewFor(model: ClusterModel, changes: Partial<ScreenView> = {}): ScreenView {
  return { model, title: "Partisan", selected: "a", notice: "", help: false, beginning: 0, now: 65_000, ...changes };
}

function draw(model: ClusterModel, changes: Partial<ScreenView> = {}, size = small): string[] {
  return renderScreen(viewFor(model, changes), size, false);
}

function lineOf(lines: readonly string[], start: string): string {
  const line = lines.find((candidate) => candidate.startsWith(start));
  assert(line !== undefined, `no line starts with "${start}":\n${lines.join("\n")}`);
  return line;
}

Deno.test("renderScreen() fills the terminal exactly, whatever its size and the number of nodes", () => {
  for (const count of [0, 1, 5, 20, 64]) {
    const model = clusterOf(...Array.from({ length: count }, (_, index) => nameOf(index)));
    for (const [columns, rows] of [[80, 24], [200, 60], [40, 12], [20, 5], [10, 1]] as const) {
      for (const help of [false, true]) {
        const lines = draw(model, { help }, { columns, rows });
        assertEquals(lines.length, rows, `${count} nodes in ${columns}x${rows}`);
        assertEquals(lines.filter((line) => line.length > columns), []);
      }
    }
  }
});

Deno.test("renderScreen() shows each node's own view", () => {
  const model = clusterOf("a", "b", "c");
  model.act({ at: 1_000, kind: "kill", node: "c" });
  model.apply("a", viewOf("a", ["b"], { members: { a: 1, b: 1, c: 1 } }));
  const lines = draw(model);
  assertStringIncludes(firstOf(lines), "65 s");
  assertEquals(lineOf(lines, "> a"), "> a    up        4000       3   1     2    14    12   0.50  - ● ○ ");
  assertEquals(lineOf(lines, "  b"), "  b    up        4001       3   2     4    14    12   0.50  ● - ● ");
  assertEquals(lineOf(lines, "  c").trimEnd(), "  c    killed    4002");
  assertStringIncludes(lines.join("\n"), "b sees c up, which is killed");
  assertStringIncludes(lines.join("\n"), "a sees up: b; down: c; received 10 messages, 0 out of order");
});

Deno.test("renderScreen() tells partial connections and strangers apart", () => {
  const model = clusterOf("a", "b", "c");
  model.apply("a", viewOf("a", ["b"], { members: { a: 1, b: 1 }, fullyConnected: [] }));
  assertStringIncludes(lineOf(draw(model), "> a"), "- ◐ · ");
});

Deno.test("renderScreen() shows the newest events at the bottom, and then the keys", () => {
  const model = clusterOf("a", "b");
  for (let at = 1; at <= 50; at++) model.observe(sighting("a", "down", `n${at}`, at * 1_000));
  const lines = draw(model);
  assertEquals(lines.at(-2), "    50.00 s  a: n50 is down");
  assertStringIncludes(lastOf(lines), "q quit");
});

Deno.test("renderScreen() shows a notice in place of the keys, and the help in place of the events", () => {
  const model = clusterOf("a", "b");
  assertEquals(draw(model, { notice: "Cannot kill b" }).at(-1), " Cannot kill b");
  const help = draw(model, { help: true });
  assertStringIncludes(help.join("\n"), "SIGSTOP");
  assertEquals(help.slice(1), draw(model, { help: true }, { columns: 100, rows: 24 }).slice(1), "it is too wide");
});

Deno.test("renderScreen() summarises the nodes for which there is no space, and follows the selection", () => {
  const names = Array.from({ length: 40 }, (_, index) => nameOf(index));
  const model = clusterOf(...names);
  model.act({ at: 1, kind: "kill", node: "b" });
  const atTop = draw(model, { selected: "a" });
  assertStringIncludes(atTop.join("\n"), "and 27 up");
  const atEnd = draw(model, { selected: "an" });
  lineOf(atEnd, "> an");
  assertStringIncludes(atEnd.join("\n"), "and 26 up, 1 killed");
});

Deno.test("renderScreen() names the nodes that are seen down when the matrix does not fit", () => {
  const names = Array.from({ length: 30 }, (_, index) => nameOf(index));
  const model = clusterOf(...names);
  const peers = names.filter((name) => name !== "a" && name !== "q" && name !== "g");
  const members = Object.fromEntries(names.map((name) => [name, 1]));
  model.apply("a", viewOf("a", peers, { members }));
  const lines = draw(model);
  assertStringIncludes(nthOf(lines, 1), "sees down");
  assertEquals(lineOf(lines, "> a").endsWith("  g q"), true);
});

Deno.test("renderScreen() uses escape sequences only when colours may be used", () => {
  const view = viewFor(clusterOf("a", "b"));
  const colored = renderScreen(view, small, true);
  // deno-lint-ignore no-control-regex
  const plain = colored.map((line) => line.replaceAll(/\x1b\[\d+m/g, ""));
  assertEquals(plain, renderScreen(view, small, false));
  assertStringIncludes(colored.join(""), "\x1b[32m");
});
