// Copyright 2026 the Partisan peer-service authors. MIT license.

import { CANDIDATES } from "./overlay_candidates.ts";
import { type Flood, type Rest, Specimen } from "./overlay_measurements.ts";
import { type Result, SECONDS, SHARES } from "./overlay_report.ts";

/** A cluster to be grown, looked at, and perhaps killed in part: what one worker does at a time. */
export interface Job {
  /** The number of the candidate. */
  readonly candidate: number;
  readonly size: number;
  /** The share of it that is killed, if it is the largest one. */
  readonly killed?: number;
}

/** Finding of a job. */
export interface Finding {
  readonly rest: Rest;
  readonly atOnce: readonly Flood[];
  readonly recovery: readonly Flood[];
}

/** All that is to be done for clusters of up to `most` nodes, the largest first. */
export function overlayJobs(most: number): Job[] {
  return CANDIDATES.flatMap(({ sizes, killed = [0.8] }, candidate) => {
    const fitting = sizes.filter((size) => size <= most);
    const largest = fitting.pop() ?? most;
    return [
      ...fitting.map((size) => ({ candidate, size })),
      ...killed.map((killed) => ({ candidate, size: largest, killed })),
    ];
  }).sort((a, b) => b.size - a.size);
}

/** Does one of them. */
export function runJob({ candidate, size, killed }: Job): Finding {
  const specimen = new Specimen(CANDIDATES[candidate]!, size);
  return {
    rest: specimen.rest(),
    atOnce: killed === undefined ? [] : SHARES.map((share) => specimen.floodWithout(share)),
    recovery: killed === undefined ? [] : specimen.kill(killed, SECONDS),
  };
}

/** Puts together what was found by candidates. */
export function resultsOf(findings: ReadonlyMap<Job, Finding>): Result[] {
  return CANDIDATES.map((candidate, index) => {
    const own = [...findings].filter(([job]) => job.candidate === index).sort(([a], [b]) => a.size - b.size);
    const rests = new Map(own.map(([{ size }, { rest }]) => [size, rest]));
    const recoveries = own.flatMap(([{ killed }, { recovery }]) =>
      killed === undefined ? [] : [[killed, recovery] as const]
    );
    return {
      candidate,
      rests: [...rests.values()],
      atOnce: own.at(-1)![1].atOnce,
      recoveries: new Map(recoveries),
    };
  });
}
