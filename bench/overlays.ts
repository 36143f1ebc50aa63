// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Measures the overlays in the simulator and draws plots of it: `deno task plots [--nodes=N] [--into=DIR]`.
 *
 * Prints tables in Markdown. Clusters have up to `--nodes`, 10,000 unless told otherwise; the plots go to `--into`, `docs` unless told
 * otherwise. Everything is in virtual time and seeded: the same program prints and draws the same on every machine.
 *
 * @module
 */

import { fullMesh } from "../strategy/full_mesh.ts";
import { hyparview } from "../strategy/hyparview.ts";
import { scampV1 } from "../strategy/scamp_v1.ts";
import { scampV2 } from "../strategy/scamp_v2.ts";
import { type Candidate, type Flood, type Rest, Specimen } from "./overlay_measurements.ts";
import { svgOf } from "./overlay_plots.ts";
import { overlayPlots, overlayTables, type Result, SECONDS, SHARES } from "./overlay_report.ts";

/** SCAMP's parameter: that of the HyParView paper's comparison. */
const C = 4;
const SIZES = [100, 1_000, 10_000];

const SCAMP = {
  sizes: SIZES,
  law: (size: number) => (C + 1) * Math.log(size),
  lawName: `${C + 1} · ln(N)`,
};

/** What is measured: each overlay with the contacts for newcomers that it is meant for. */
export const CANDIDATES: readonly Candidate[] = [
  { name: "fullMesh()", create: () => fullMesh(), sizes: [100, 300, 1_000], hasRandomContacts: false },
  {
    name: "hyparview()",
    create: () => hyparview(),
    sizes: SIZES,
    hasRandomContacts: false,
    killed: [0.3, 0.6, 0.8],
  },
  { name: "hyparview(), in a rush", create: () => hyparview(), sizes: [1_000], hasRandomContacts: false, joinMs: 0 },
  { name: `scampV1({ c: ${C} })`, create: () => scampV1({ c: C }), hasRandomContacts: true, ...SCAMP },
  { name: `scampV2({ c: ${C} })`, create: () => scampV2({ c: C }), hasRandomContacts: false, ...SCAMP },
];

/** Measures an overlay with up to `most` nodes. */
export function measure(candidate: Candidate, most: number): Result {
  const sizes = candidate.sizes.filter((size) => size <= most);
  const largest = sizes.length > 0 ? sizes.pop()! : most;
  const rests: Rest[] = sizes.map((size) => new Specimen(candidate, size).rest());
  const specimen = new Specimen(candidate, largest);
  rests.push(specimen.rest());
  const atOnce = SHARES.map((share) => specimen.floodWithout(share));
  const recoveries = new Map<number, Flood[]>();
  for (const share of candidate.killed ?? [0.8]) {
    const victim = share === 0.8 ? specimen : new Specimen(candidate, largest);
    recoveries.set(share, victim.kill(share, SECONDS));
  }
  return { candidate, rests, atOnce, recoveries };
}

function optionOf(args: readonly string[], name: string): string | undefined {
  return args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

async function main(args: readonly string[]): Promise<void> {
  const most = Number(optionOf(args, "nodes") ?? 10_000);
  if (!(most >= 100)) throw new RangeError(`Cannot measure overlays of at most ${most} nodes: expected 100 or more`);
  const results = CANDIDATES.map((candidate) => {
    const start = performance.now();
    const result = measure(candidate, most);
    console.error(`${candidate.name}: measured in ${((performance.now() - start) / 1_000).toFixed(0)} s`);
    return result;
  });
  console.log(overlayTables(results));
  const folder = optionOf(args, "into") ?? "docs";
  for (const [name, plot] of overlayPlots(results)) {
    await Deno.writeTextFile(`${folder}/${name}`, svgOf(plot));
    console.log(`${folder}/${name} written`);
  }
}

if (import.meta.main) await main(Deno.args);
