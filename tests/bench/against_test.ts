// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { compareRuns, type Figures, parseTables } from "../../bench/comparison.ts";
import { ratios, Report } from "../../bench/report.ts";
import { steadily } from "../../bench/steadily.ts";
import { formatSubject } from "../../bench/table.ts";
import { entryOf, firstOf, present } from "../values.ts";

const SUBJECT = { name: "flood", title: "One way", baseline: "raw socket", measure: () => Promise.resolve() };

function runs(what: string, ...values: number[]): Figures[] {
  return values.map((value) => new Map([[what, value]]));
}

Deno.test("parseTables() reads the ratios of the rows that formatSubject() prints", () => {
  const report = new Report();
  report.row("flood", { what: "64 B", unit: "k msg/s", baseline: [4_000, 4_000], ours: [2_000, 2_000] });
  report.row("flood", { what: "forming", unit: "ms", baseline: [1, 1], ours: [2_500, 2_500], target: { atMost: 2 } });
  report.remark("flood", "64 B | raw | sender");
  assertEquals(
    parseTables(formatSubject(SUBJECT, report)),
    new Map([["64 B, k msg/s", 0.5], ["forming, ms", 2_500]]),
  );
});

Deno.test("compareRuns() calls a row worse when all its runs are worse than all runs before, by a tenth and more", () => {
  const isWorse = (what: string, before: number[], after: number[]) =>
    compareRuns(runs(what, ...before), runs(what, ...after)).map(({ isWorse }) => isWorse);
  assertEquals(isWorse("64 B, k msg/s", [0.5, 0.6, 0.7], [0.3, 0.4, 0.45]), [true]);
  assertEquals(isWorse("64 B, k msg/s", [0.5, 0.6, 0.7], [0.3, 0.4, 0.51]), [false]);
  assertEquals(isWorse("64 B, k msg/s", [0.5, 0.51, 0.52], [0.47, 0.48, 0.49]), [false]);
  assertEquals(isWorse("64 B, k msg/s", [0.3, 0.4, 0.45], [0.5, 0.6, 0.7]), [false]);
  assertEquals(isWorse("echo, µs", [1, 1.1, 1.2], [1.5, 1.6, 1.7]), [true]);
  assertEquals(isWorse("echo, µs", [1.5, 1.6, 1.7], [1, 1.1, 1.2]), [false]);
  assertEquals(isWorse("at rest, B/s", [1, 1.1, 1.2], [1.5, 1.6, 1.7]), [true]);
});

Deno.test("compareRuns() leaves out what only one revision measures", () => {
  assertEquals(compareRuns(runs("old, µs", 1), runs("new, µs", 1)), []);
});

Deno.test("steadily() measures again when rounds differ by more than a quarter, and the row says so", async () => {
  const report = new Report();
  const rounds = [[10, 13, 11], [12, 12, 12]];
  await steadily(report, (once) => {
    const ours = present(rounds.shift());
    once.row("flood", { what: "64 B", unit: "k msg/s", baseline: [10, 10, 10], ours });
    return Promise.resolve();
  });
  const row = firstOf(entryOf(report.tables, "flood").rows);
  assertEquals(ratios(row), [1, 1.3, 1.1, 1.2, 1.2, 1.2]);
  assertStringIncludes(formatSubject(SUBJECT, report), "1.20 (1.00–1.30) ↻");
  assertEquals(parseTables(formatSubject(SUBJECT, report)).get("64 B, k msg/s"), 1.2);
});

Deno.test("steadily() measures once when rounds agree", async () => {
  const report = new Report();
  await steadily(report, (once) => {
    once.row("flood", { what: "64 B", unit: "k msg/s", baseline: [10, 10, 10], ours: [10, 11, 12] });
    return Promise.resolve();
  });
  assertEquals(entryOf(report.tables, "flood").rows.map(({ isRepeated }) => isRepeated), [undefined]);
  assertEquals(ratios(firstOf(entryOf(report.tables, "flood").rows)), [1, 1.1, 1.2]);
});
