// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Candidate, Flood, Rest, Spread } from "./overlay_measurements.ts";
import type { Plot } from "./overlay_plots.ts";

/** Share of all nodes that is killed at once. */
export const SHARES = [0, 0.3, 0.6, 0.8] as const;
/** Seconds after that at which a flood is sent. */
export const SECONDS = [0.2, 1, 2, 5, 10, 20, 30, 60] as const;

/** All that was measured of one overlay. */
export interface Result {
  readonly candidate: Candidate;
  readonly rests: readonly Rest[];
  /** Of the largest cluster, for each of the {@linkcode SHARES}: a flood before any node reacts. */
  readonly atOnce: readonly Flood[];
  /** Of the largest cluster: floods later, by the share that was killed. */
  readonly recoveries: ReadonlyMap<number, readonly Flood[]>;
}

/** Tables in Markdown of all that was measured. */
export function overlayTables(results: readonly Result[]): string {
  return [restTable(results), atOnceTable(results), laterTable(results)].join("\n");
}

function restTable(results: readonly Result[]): string {
  const heading = [
    ...["", "nodes", "peers", "law", "links", "in one part", "distance", "diameter", "clustering"],
    ...["redundancy", "messages/s", "B/s per node"],
  ];
  const rows = results.flatMap(({ candidate, rests }) =>
    rests.map((rest) => [
      candidate.name,
      rest.size.toLocaleString("en"),
      formatSpread(rest.peers),
      candidate.law?.(rest.size).toFixed(1) ?? "",
      formatSpread(rest.links),
      formatShare(rest.largestPart),
      rest.distance.mean.toFixed(2),
      `${rest.distance.greatest}`,
      rest.clustering.toFixed(5),
      rest.redundancy.toFixed(2),
      rest.messagesPerSecond.toFixed(2),
      rest.bytesPerSecond.toFixed(0),
    ])
  );
  return tableOf("At rest, gossip interval 1 s", heading, rows);
}

function atOnceTable(results: readonly Result[]): string {
  return tableOf(
    "A flood right after a share of all nodes was killed, before any node reacts: what it reaches of those alive, and its redundancy",
    ["", "nodes", ...SHARES.map((share) => `${100 * share} % killed`)],
    results.map(({ candidate, rests, atOnce }) => [
      candidate.name,
      rests.at(-1)!.size.toLocaleString("en"),
      ...atOnce.map(({ reliability, redundancy }) => `${formatShare(reliability)}, ${redundancy.toFixed(1)}`),
    ]),
  );
}

function laterTable(results: readonly Result[]): string {
  return tableOf(
    "What it reaches later, and its redundancy after a minute",
    ["", "killed", ...SECONDS.map((seconds) => `${seconds} s`), "redundancy"],
    results.flatMap(({ candidate, recoveries }) =>
      [...recoveries].sort(([a], [b]) => a - b).map(([share, floods]) => [
        candidate.name,
        `${100 * share} %`,
        ...floods.map(({ reliability }) => formatShare(reliability)),
        floods.at(-1)!.redundancy.toFixed(2),
      ])
    ),
  );
}

/** Plots of all that was measured, by the names of their files. */
export function overlayPlots(results: readonly Result[]): ReadonlyMap<string, Plot> {
  const grown = results.filter(({ candidate }) => candidate.joinMs === undefined);
  const partial = grown.filter(({ candidate }) => !candidate.name.startsWith("fullMesh"));
  const laws = partial.filter(({ candidate }) => candidate.law !== undefined).slice(0, 1);
  return new Map<string, Plot>([
    ["overlay_views.svg", {
      title: "Peers of a node against the size of the cluster",
      x: "nodes",
      y: "peers, mean",
      xTicks: [100, 1_000, 10_000],
      yTicks: [1, 10, 100, 1_000],
      isLogarithmic: { x: true, y: true },
      lines: [
        ...grown.map(({ candidate, rests }) => ({
          name: candidate.name,
          points: rests.map(({ size, peers }) => [size, peers.mean] as const),
        })),
        ...laws.map(({ candidate, rests }) => ({
          name: candidate.lawName!,
          points: rests.map(({ size }) => [size, candidate.law!(size)] as const),
          isLaw: true,
        })),
      ],
    }],
    ["overlay_failures.svg", {
      title: "Reach of a flood right after nodes were killed, before any node reacts",
      x: "% killed at once",
      y: "% of those alive",
      xTicks: [0, 30, 60, 80],
      yTicks: [0, 25, 50, 75, 100],
      lines: grown.map(({ candidate, atOnce }) => ({
        name: candidate.name,
        points: atOnce.map(({ reliability }, index) => [100 * SHARES[index]!, 100 * reliability] as const),
      })),
    }],
    ["overlay_recovery.svg", {
      title: "Reach of a flood after 80 % of all nodes were killed at once",
      x: "seconds after, at a gossip interval of 1 s",
      y: "% of those alive",
      xTicks: [0, 5, 10, 20, 30],
      yTicks: [0, 25, 50, 75, 100],
      lines: partial.map(({ candidate, atOnce, recoveries }) => ({
        name: candidate.name,
        points: [
          [0, 100 * atOnce.at(-1)!.reliability] as const,
          ...(recoveries.get(0.8) ?? []).filter(({ seconds }) => seconds <= 30)
            .map(({ seconds, reliability }) => [seconds, 100 * reliability] as const),
        ],
      })),
    }],
  ]);
}

function formatSpread({ mean, least, most }: Spread): string {
  return `${mean.toFixed(1)} (${least}–${most})`;
}

function formatShare(share: number): string {
  return share === 1 ? "100 %" : `${(100 * share).toFixed(2)} %`;
}

function tableOf(title: string, heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((name, column) => Math.max(3, name.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => "-".repeat(width - 1) + (column === 0 ? "-" : ":")).join(" | ")} |`;
  return [`### ${title}\n`, line(heading), rule, ...rows.map(line), ""].join("\n");
}
