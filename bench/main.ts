// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Measures this library against hand-made sockets: `deno task bench [--quick] [--rounds=N] [--save] [subject…]`.
 * With `--only=CASE` it measures the cases of `link` whose names contain that, and with `--against=REF` it measures this revision and another one in turns, and fails when a row is worse beyond its spread.
 *
 * Prints tables in Markdown: medians, with the least and the greatest value of the rounds. What is compared runs in turns in the
 * same run, so the ratios hold even where the machine is busy; the absolute values do not. With `--save` the plots go to `docs/`.
 *
 * @module
 */

import { runAgainst } from "./against.ts";
import { codec } from "./codec.ts";
import { concurrency } from "./concurrency.ts";
import { echo } from "./echo.ts";
import { flood, guarantees } from "./flood.ts";
import { headOfLine } from "./head_of_line.ts";
import { host } from "./host.ts";
import { interposition } from "./interposition.ts";
import { link } from "./link.ts";
import { metrics } from "./metrics.ts";
import { membership } from "./membership.ts";
import { groups } from "./groups.ts";
import { merge } from "./merge.ts";
import { distributionPlot, throughputPlot } from "./plot.ts";
import { replies } from "./replies.ts";
import { Report } from "./report.ts";
import { stream } from "./stream.ts";
import { simulated } from "./simulated.ts";
import type { Effort, Subject } from "./subject.ts";
import { trust } from "./trust.ts";
import { formatSubject } from "./table.ts";
import { zones } from "./zones.ts";

const SUBJECTS: readonly Subject[] = [
  echo,
  flood,
  guarantees,
  trust,
  host,
  concurrency,
  link,
  headOfLine,
  stream,
  replies,
  interposition,
  metrics,
  membership,
  simulated,
  groups,
  merge,
  codec,
  zones,
];
/** Short rounds: there are some sixty rows, each of sixteen rounds. */
const FULL: Effort = { rounds: 7, roundMs: 300, quick: false };
const QUICK: Effort = { rounds: 3, roundMs: 150, quick: true };
const AGAINST = /^--against=(.+)$/;
const ROUNDS = /^--rounds=(\d+)$/;
const ONLY = /^--only=(.+)$/;

async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith("-"));
  const flags = args.filter((arg) => arg.startsWith("-"));
  const unknown = [
    ...names.filter((name) => SUBJECTS.every((subject) => subject.name !== name)),
    ...flags.filter((flag) =>
      flag !== "--quick" && flag !== "--save" && ![ROUNDS, AGAINST, ONLY].some((known) => known.test(flag))
    ),
  ];
  if (unknown.length > 0) {
    print(
      `Cannot measure "${unknown[0]}": expected --quick, --rounds=N, --only=CASE, --save, --against=REF or ${
        SUBJECTS.map(({ name }) => name).join(", ")
      }`,
    );
    return 1;
  }
  const ref = flags.map((flag) => AGAINST.exec(flag)?.[1]).find((found) => found !== undefined);
  if (ref !== undefined) {
    const worse = await runAgainst(ref, args.filter((arg) => !AGAINST.test(arg)), print);
    print(worse.length === 0 ? "Nothing is worse." : `Worse than "${ref}": ${worse.length}`);
    return worse.length === 0 ? 0 : 1;
  }
  const effort = flags.includes("--quick") ? { ...QUICK } : { ...FULL };
  const rounds = flags.map((flag) => ROUNDS.exec(flag)?.[1]).find((found) => found !== undefined);
  const only = flags.map((flag) => ONLY.exec(flag)?.[1]).find((found) => found !== undefined);
  const report = new Report();
  print(describeMachine());
  for (const subject of SUBJECTS) {
    if (names.length > 0 && !names.includes(subject.name)) continue;
    await subject.measure({ ...effort, ...(rounds && { rounds: Number(rounds) }), only }, report);
    print(formatSubject(subject, report));
  }
  if (flags.includes("--save")) await savePlots(report);
  return 0;
}

function describeMachine(): string {
  const { deno, v8 } = Deno.version;
  const load = Deno.loadavg().map((value) => value.toFixed(1)).join(" ");
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  return `Deno ${deno}, V8 ${v8}, ${Deno.build.target}, ${navigator.hardwareConcurrency} processors, ${memory} GiB, load ${load}\n`;
}

async function savePlots(report: Report): Promise<void> {
  const docs = new URL("../docs/", import.meta.url);
  if (report.throughput.size > 0) {
    await Deno.writeTextFile(new URL("throughput.svg", docs), throughputPlot(report.throughput));
  }
  for (const [name, svg] of report.plots) await Deno.writeTextFile(new URL(name, docs), svg);
  if (report.roundTrips.length > 0) {
    await Deno.writeTextFile(new URL("round_trips.svg", docs), distributionPlot(report.roundTrips));
  }
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

Deno.exit(await main(Deno.args));
