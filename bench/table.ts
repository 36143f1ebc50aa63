// Copyright 2026 the Partisan peer-service authors. MIT license.

import { meetsTarget, ratios, type Report, type Row } from "./report.ts";
import { median } from "./statistics.ts";
import type { Subject } from "./subject.ts";

const REPEATED = "↻: rounds differed by more than 25 %, so they were run again; the figures are of both runs";

/** The table of a subject in Markdown, with its remarks. */
export function formatSubject({ name, title, baseline }: Subject, report: Report): string {
  const table = report.tables.get(name);
  if (table === undefined) return `### ${title}\n\nNothing was measured.\n`;
  const heading = ["", baseline, "peer-service", "ratio", "target"];
  const cells = [heading, ...table.rows.map(formatRow)];
  const widths = heading.map((_, column) => Math.max(3, ...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${
      row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join(" | ")
    } |`;
  const rule = widths.map((width, column) => column === 0 ? "-".repeat(width) : "-".repeat(width - 1) + ":");
  const lines = [line(cells[0]!), line(rule), ...cells.slice(1).map(line)];
  const told = table.rows.some(({ isRepeated }) => isRepeated) ? [REPEATED, ...table.remarks] : table.remarks;
  const remarks = told.length === 0 ? "" : `\n${told.map((remark) => `- ${remark}\n`).join("")}`;
  return `### ${title}\n\n${lines.join("\n")}\n${remarks}`;
}

function formatRow(row: Row): string[] {
  const met = meetsTarget(row);
  const verdict = met === undefined ? "" : met ? " ✓" : " ✗";
  return [
    `${row.what}, ${row.unit}`,
    formatSpread(row.baseline),
    formatSpread(row.ours),
    `${formatSpread(ratios(row))}${row.isRepeated ? " ↻" : ""}`,
    row.target === undefined
      ? ""
      : `${row.target.atMost === undefined ? `≥ ${row.target.atLeast}` : `≤ ${row.target.atMost}`}${verdict}`,
  ];
}

/** The median, and between which values the rounds lay. */
function formatSpread(values: readonly number[]): string {
  return `${formatNumber(median(values))} (${formatNumber(Math.min(...values))}–${formatNumber(Math.max(...values))})`;
}

/** Three digits that count. */
function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 0.1 || value === 0 ? 2 : value >= 0.01 ? 3 : 4;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
