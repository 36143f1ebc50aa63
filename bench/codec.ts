// Copyright 2026 the Partisan peer-service authors. MIT license.

import { ratios, type Report } from "./report.ts";
import { median } from "./statistics.ts";
import type { Effort, Subject } from "./subject.ts";

/** What `deno bench --json` says of one function, times in nanoseconds. */
interface BenchResult {
  readonly group: string;
  readonly name: string;
  readonly results: readonly { readonly ok?: { readonly avg: number } }[];
}

const OURS = "ours";

/** `codec_bench.ts`, as a part of the table. */
export const codec: Subject = {
  name: "codec",
  title: "Encoding and decoding, one function at a time in one process",
  baseline: "JSON or @std/msgpack",
  async measure({ rounds, quick }: Effort, report: Report): Promise<void> {
    const runs: BenchResult[][] = [];
    for (let round = 0; round < (quick ? 1 : Math.min(3, rounds)); round++) runs.push(await runBench());
    for (const { group, name } of runs[0]!.filter(({ name }) => !name.startsWith(OURS))) {
      const row = {
        what: `${group}, against ${name}`,
        unit: "ns",
        baseline: times(runs, group, name),
        ours: times(runs, group, OURS),
      };
      if (Number.isFinite(median(ratios(row)))) report.row("codec", row);
    }
  },
};

function times(runs: readonly BenchResult[][], group: string, name: string): number[] {
  const resultOf = (run: readonly BenchResult[]) => run.find((each) => each.group === group && each.name === name);
  return runs.map((run) => resultOf(run)?.results[0]?.ok?.avg ?? NaN);
}

async function runBench(): Promise<BenchResult[]> {
  const root = new URL("../", import.meta.url);
  const args = ["run", "-A", "tests/std_imports.ts", "bench", "--json", "bench/codec_bench.ts"];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    stdout: "piped",
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`Cannot measure the codec: ${text}`);
  return JSON.parse(text.slice(text.indexOf("{\n"))).benches;
}
