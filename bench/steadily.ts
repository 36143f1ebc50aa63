// Copyright 2026 the Partisan peer-service authors. MIT license.

import { ratios, Report, type Row } from "./report.ts";
import { median } from "./statistics.ts";

/** So far may the rounds of a row lie apart, as a share of their median, before it is measured again. */
const SPREAD_MAX = 0.25;

/** Spread of the ratios of the rounds of a row, as a share of their median. */
export function spread(row: Row): number {
  const values = ratios(row);
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/**
 * Measures rows, and measures them once more when the rounds of one of them differ by more than 25 %. A row that was measured again
 * says so; its rounds are those of both times.
 *
 * @param measure Adds the same rows each time.
 */
export async function steadily(report: Report, measure: (report: Report) => Promise<void>): Promise<void> {
  const first = new Report();
  await measure(first);
  const isUnsteady = [...first.tables.values()].some(({ rows }) => rows.some((row) => spread(row) > SPREAD_MAX));
  if (!isUnsteady) return report.add(first);
  const second = new Report();
  await measure(second);
  for (const [subject, { rows }] of first.tables) {
    const again = second.tables.get(subject)!;
    for (const [index, row] of rows.entries()) again.rows[index] = joined(row, again.rows[index]!);
  }
  report.add(second);
}

function joined(first: Row, second: Row): Row {
  return {
    ...second,
    baseline: [...first.baseline, ...second.baseline],
    ours: [...first.ours, ...second.ours],
    isRepeated: spread(first) > SPREAD_MAX,
  };
}
