// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { CANDIDATES } from "../../bench/overlay_candidates.ts";
import { type Finding, type Job, overlayJobs, resultsOf, runJob } from "../../bench/overlay_jobs.ts";
import { svgOf } from "../../bench/overlay_plots.ts";
import { overlayPlots, overlayTables, SHARES } from "../../bench/overlay_report.ts";
import { forEachOf } from "../tuples.ts";
import { firstOf, lastOf } from "../values.ts";

const SIZE = 40;

/** All jobs, on clusters that are small, in this order or the other way round. */
function measureAll(isReversed = false): ReadonlyMap<Job, Finding> {
  const jobs = overlayJobs(SIZE);
  return new Map((isReversed ? jobs.reverse() : jobs).map((job) => [job, runJob(job)]));
}

Deno.test("overlayJobs() has each overlay measured with up to so many nodes, and its largest cluster killed in part", () => {
  const jobs = overlayJobs(1_000);
  for (const [candidate, { sizes, killed = [0.8] }] of CANDIDATES.entries()) {
    const own = jobs.filter((job) => job.candidate === candidate);
    assertEquals(new Set(own.map(({ size }) => size)), new Set(sizes.filter((size) => size <= 1_000)));
    assertEquals(own.flatMap((job) => job.killed ?? []).sort(), killed);
    assert(own.every((job) => job.killed === undefined || job.size === 1_000));
  }
});

Deno.test("the same program measures, prints and draws the same, in whatever order clusters are simulated", () => {
  const [once, again] = forEachOf([measureAll(), measureAll(true)], (findings) => {
    const results = resultsOf(findings);
    return [overlayTables(results), ...[...overlayPlots(results)].map(([name, plot]) => name + svgOf(plot))];
  });
  assertEquals(once, again);
  assertEquals(once.length, 4);
  for (const { name } of CANDIDATES) assertStringIncludes(firstOf(once), `| ${name} `);
});

Deno.test("runJob() finds a cluster that is one, and less of it the more of it is killed", () => {
  const finding = runJob({ candidate: 1, size: SIZE, killed: 0.8 });
  const { rest, atOnce, recovery } = finding;
  assertEquals([rest.size, rest.largestPart], [SIZE, 1]);
  assertGreater(rest.bytesPerSecond, rest.messagesPerSecond);
  assertEquals(atOnce.length, SHARES.length);
  assertEquals(firstOf(atOnce).reliability, 1);
  assertGreater(firstOf(atOnce).redundancy, lastOf(atOnce).redundancy);
  assertEquals(lastOf(recovery).reliability, 1);
});
