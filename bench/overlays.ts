// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Measures the overlays in the simulator, beside what the papers say: `deno run -A bench/overlays.ts [--most=N] [--save]`.
 *
 * Prints tables in Markdown. With `--most` clusters have no more nodes than that. With `--save` the plots go to `docs/`.
 * Everything is in virtual time and seeded: the same program prints the same numbers on every machine.
 *
 * @module
 */

import { fullMesh } from "../strategy/full_mesh.ts";
import { hyparview } from "../strategy/hyparview.ts";
import { scampV1 } from "../strategy/scamp_v1.ts";
import { scampV2 } from "../strategy/scamp_v2.ts";
import { type Candidate, type Flood, type Rest, Specimen, type Spread } from "./overlay_measurements.ts";
import { type Plot, svgOf } from "./overlay_plots.ts";

const SHARES = [0, 0.3, 0.6, 0.8] as const;
const SECONDS = [0.2, 1, 2, 5, 10, 20, 30, 60] as const;
const C = 4;

const scampLaw = (size: number) => (C + 1) * Math.log(size);

const CANDIDATES: readonly Candidate[] = [
  { name: "fullMesh()", create: () => fullMesh(), sizes: [100, 300, 1_000], hasRandomContacts: false },
  { name: "hyparview()", create: () => hyparview(), sizes: [100, 1_000, 10_000], hasRandomContacts: false },
  {
    name: `scampV1({ c: ${C} })`,
    create: () => scampV1({ c: C }),
    sizes: [100, 1_000, 10_000],
    hasRandomContacts: true,
    law: scampLaw,
  },
  {
    name: `scampV2({ c: ${C} })`,
    create: () => scampV2({ c: C }),
    sizes: [100, 1_000, 10_000],
    hasRandomContacts: false,
    law: scampLaw,
  },
];

/** All that was measured of one overlay. */
interface Result {
  readonly candidate: Candidate;
  readonly rests: readonly Rest[];
  /** Of the largest cluster: what a flood reaches before anybody reacts, by the share that was killed. */
  readonly atOnce: readonly number[];
  /** Of the largest cluster: what it reaches later, by the share that was killed. */
  readonly recoveries: ReadonlyMap<number, readonly Flood[]>;
}

function measure(candidate: Candidate, most: number): Result {
  const sizes = candidate.sizes.filter((size) => size <= most);
  const size = sizes.at(-1) ?? most;
  const rests: Rest[] = [];
  let atOnce: number[] = [];
  const recoveries = new Map<number, Flood[]>();
  for (const size of sizes) {
    const specimen = new Specimen(candidate, size, true);
    rests.push(specimen.rest());
    if (size !== sizes.at(-1)) continue;
    atOnce = SHARES.map((share) => specimen.reliabilityWithout(share));
    recoveries.set(0.8, specimen.kill(0.8, SECONDS));
    console.error(`${candidate.name}: ${size} nodes measured`);
  }
  for (const share of candidate.name.startsWith("hyparview") ? [0.3, 0.6] : []) {
    recoveries.set(share, new Specimen(candidate, size, true).kill(share, SECONDS));
    console.error(`${candidate.name}: ${100 * share} % of ${size} nodes killed`);
  }
  return { candidate, rests, atOnce, recoveries };
}

function printRest(results: readonly Result[]): void {
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
      rest.clustering.toFixed(4),
      rest.redundancy.toFixed(2),
      rest.messagesPerSecond.toFixed(2),
      rest.bytesPerSecond.toFixed(0),
    ])
  );
  printTable("At rest, gossip interval 1 s", heading, rows);
}

function printRecovery(results: readonly Result[]): void {
  printTable(
    "What a flood reaches of those alive before anybody reacts",
    ["", "nodes", ...SHARES.map((share) => `${100 * share} % killed`)],
    results.map(({ candidate, rests, atOnce }) => [
      candidate.name,
      rests.at(-1)!.size.toLocaleString("en"),
      ...atOnce.map(formatShare),
    ]),
  );
  printTable(
    "What it reaches later, and its redundancy at the end",
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

function plots(results: readonly Result[]): ReadonlyMap<string, Plot> {
  const partial = results.filter(({ candidate }) => !candidate.name.startsWith("fullMesh"));
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
        ...results.map(({ candidate, rests }) => ({
          name: candidate.name,
          points: rests.map(({ size, peers }) => [size, peers.mean] as const),
        })),
        ...laws.map(({ candidate, rests }) => ({
          name: `${C + 1} · ln(N)`,
          points: rests.map(({ size }) => [size, candidate.law!(size)] as const),
          isLaw: true,
        })),
      ],
    }],
    ["overlay_failures.svg", {
      title: "Reach of a flood right after nodes were killed, before anybody reacts",
      x: "% killed at once",
      y: "% of those alive",
      xTicks: [0, 30, 60, 80],
      yTicks: [0, 25, 50, 75, 100],
      lines: results.map(({ candidate, atOnce }) => ({
        name: candidate.name,
        points: atOnce.map((reliability, index) => [100 * SHARES[index]!, 100 * reliability] as const),
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
          [0, 100 * atOnce.at(-1)!] as const,
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

function printTable(title: string, heading: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heading.map((name, column) => Math.max(3, name.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => "-".repeat(width - 1) + (column === 0 ? "-" : ":")).join(" | ")} |`;
  console.log([`### ${title}\n`, line(heading), rule, ...rows.map(line), ""].join("\n"));
}

async function main(args: readonly string[]): Promise<void> {
  const most = Number(args.find((arg) => arg.startsWith("--most="))?.slice("--most=".length) ?? 10_000);
  if (!(most >= 100)) throw new RangeError(`Cannot measure overlays of at most ${most} nodes: expected 100 or more`);
  const results = CANDIDATES.map((candidate) => measure(candidate, most));
  printRest(results);
  printRecovery(results);
  if (!args.includes("--save")) return;
  for (const [name, plot] of plots(results)) {
    await Deno.writeTextFile(new URL(`../docs/${name}`, import.meta.url), svgOf(plot));
    console.log(`docs/${name} written`);
  }
}

await main(Deno.args);
