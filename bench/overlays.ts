// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Measures the overlays in the simulator and draws plots of it: `deno task plots [--nodes=N] [--into=DIR] [--workers=N]`.
 *
 * Prints tables in Markdown. Clusters have up to `--nodes`, 10,000 unless told otherwise; the plots go to `--into`, `docs` unless told
 * otherwise; `--workers` clusters are simulated at the same time, as many as there are processors unless told otherwise. Everything is
 * in virtual time and seeded: the same program prints and draws the same on every machine.
 *
 * @module
 */

import { CANDIDATES } from "./overlay_candidates.ts";
import { type Finding, type Job, overlayJobs, resultsOf } from "./overlay_jobs.ts";
import { svgOf } from "./overlay_plots.ts";
import { overlayPlots, overlayTables } from "./overlay_report.ts";

/** Has the jobs done, as many at a time as there are to be workers. */
async function runAll(jobs: readonly Job[], workers: number): Promise<ReadonlyMap<Job, Finding>> {
  const findings = new Map<Job, Finding>();
  const queue = jobs.values();
  const work = async () => {
    using worker = disposable(new Worker(import.meta.resolve("./overlay_worker.ts"), { type: "module" }));
    for (const job of queue) {
      const start = performance.now();
      findings.set(job, await worker.run(job));
      const seconds = ((performance.now() - start) / 1_000).toFixed(0);
      console.error(`${CANDIDATES[job.candidate]!.name}, ${job.size} nodes: ${seconds} s`);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return findings;
}

function disposable(worker: Worker): { run(job: Job): Promise<Finding>; [Symbol.dispose](): void } {
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(job);
      }),
    [Symbol.dispose]: () => worker.terminate(),
  };
}

function optionOf(args: readonly string[], name: string): string | undefined {
  return args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

async function main(args: readonly string[]): Promise<void> {
  const most = Number(optionOf(args, "nodes") ?? 10_000);
  if (!(most >= 100)) throw new RangeError(`Cannot measure overlays of at most ${most} nodes: expected 100 or more`);
  const workers = Number(optionOf(args, "workers") ?? navigator.hardwareConcurrency);
  if (!(workers >= 1)) throw new RangeError(`Cannot measure overlays with ${workers} workers: expected 1 or more`);
  const results = resultsOf(await runAll(overlayJobs(most), workers));
  console.log(overlayTables(results));
  const folder = optionOf(args, "into") ?? "docs";
  for (const [name, plot] of overlayPlots(results)) {
    await Deno.writeTextFile(`${folder}/${name}`, svgOf(plot));
    console.log(`${folder}/${name} written`);
  }
}

await main(Deno.args);
