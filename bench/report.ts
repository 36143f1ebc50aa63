// Copyright 2026 the Partisan peer-service authors. MIT license.

import { median } from "./statistics.ts";

/** One line of the table: what two contestants took, round by round. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  /** Values that ours are compared with. */
  readonly baseline: readonly number[];
  readonly ours: readonly number[];
  readonly target?: Target;
  /** Whether it was measured again, since its rounds lay far apart. */
  readonly isRepeated?: boolean;
}

/** Bounds of the ratio of ours to the baseline. */
export interface Target {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** A line of a plot: points from left to right. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** The ratio of ours to the baseline in each round. */
export function ratios({ baseline, ours }: Row): number[] {
  return ours.map((value, round) => value / baseline[round]!);
}

/** Whether the median ratio keeps within the target; `undefined` when there is none. */
export function meetsTarget(row: Row): boolean | undefined {
  if (row.target === undefined) return undefined;
  const { atMost = Infinity, atLeast = -Infinity } = row.target;
  const ratio = median(ratios(row));
  return ratio <= atMost && ratio >= atLeast;
}

/** Collects what is measured. */
export class Report {
  /** Rows by subject. */
  readonly tables: Map<string, { readonly rows: Row[]; readonly remarks: string[] }> = new Map();
  /** Lines of the plot of throughput against the size of the payload. */
  readonly throughput: Map<string, [x: number, y: number][]> = new Map();
  /** Lines of the plot of the distribution of round trips. */
  readonly roundTrips: Series[] = [];

  /** Finished plots, by the name of their file. */
  readonly plots: Map<string, string> = new Map();

  /** Adds a line. */
  row(subject: string, row: Row): void {
    this.#table(subject).rows.push(row);
  }

  /** Adds a remark below the table. */
  remark(subject: string, text: string): void {
    this.#table(subject).remarks.push(text);
  }

  /** Adds what another report has collected. */
  add(other: Report): void {
    for (const [subject, { rows, remarks }] of other.tables) {
      const table = this.#table(subject);
      table.rows.push(...rows);
      table.remarks.push(...remarks);
    }
    for (const [name, points] of other.throughput) {
      this.throughput.set(name, [...this.throughput.get(name) ?? [], ...points]);
    }
    this.roundTrips.push(...other.roundTrips);
    for (const [name, svg] of other.plots) this.plots.set(name, svg);
  }

  #table(subject: string): { readonly rows: Row[]; readonly remarks: string[] } {
    let table = this.tables.get(subject);
    if (table === undefined) this.tables.set(subject, table = { rows: [], remarks: [] });
    return table;
  }
}
