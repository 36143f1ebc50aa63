// Copyright 2026 the Partisan peer-service authors. MIT license.

import { median } from "./statistics.ts";

/** A row is worse when its medians differ by more than this share, however small the spread. */
const DIFFERENCE_MIN = 0.1;

/** The ratio of ours to the baseline, by what the row is called. */
export type Figures = ReadonlyMap<string, number>;

/** Verdict on one row. */
export interface RowVerdict {
  /** Name of the row, and its unit. */
  readonly what: string;
  /** Its ratios in the runs of the other revision. */
  readonly before: readonly number[];
  /** Its ratios in the runs of this one. */
  readonly after: readonly number[];
  /** Whether every run of this revision is worse than every run of the other one, and by enough. */
  readonly isWorse: boolean;
}

/** Reads the ratios out of the tables that the benchmark prints: so any revision can be compared that prints such tables. */
export function parseTables(text: string): Figures {
  const figures = new Map<string, number>();
  for (const line of text.split("\n")) {
    const cells = line.split("|").map((cell) => cell.trim());
    const ratio = Number.parseFloat((cells[4] ?? "").replaceAll(",", ""));
    if (cells.length >= 6 && cells[1] !== "" && Number.isFinite(ratio)) figures.set(cells[1]!, ratio);
  }
  return figures;
}

/** Compares the rows that all runs of both revisions have. */
export function compareRuns(before: readonly Figures[], after: readonly Figures[]): RowVerdict[] {
  const names = [...after[0]?.keys() ?? []].filter((what) => [...before, ...after].every((run) => run.has(what)));
  return names.map((what) => {
    const of = (runs: readonly Figures[]) => runs.map((run) => run.get(what)!);
    const [old, now] = [of(before), of(after)];
    return { what, before: old, after: now, isWorse: isWorse(old, now, isRate(what)) };
  });
}

/** Whether more is better: of something in a second. Times and sizes are better when they are less. */
function isRate(what: string): boolean {
  return what.endsWith("/s") && !what.endsWith(" B/s");
}

function isWorse(old: readonly number[], now: readonly number[], moreIsBetter: boolean): boolean {
  const [was, is] = [median(old), median(now)];
  return moreIsBetter
    ? Math.max(...now) < Math.min(...old) && is < was * (1 - DIFFERENCE_MIN)
    : Math.min(...now) > Math.max(...old) && is > was * (1 + DIFFERENCE_MIN);
}
