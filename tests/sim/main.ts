// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Program of `deno task sim`: runs clusters under random faults. It needs no permissions.
 *
 * @module
 */

import { parseArguments, type SimArguments, USAGE } from "./arguments.ts";
import { commandFor, listDisturbances, reportFailure } from "./report.ts";
import { OVERLAY_SEEDS, type Scenario, scenarioOf } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { type Outcome, simulate } from "./simulate.ts";

/** One run in so many plays over partial views. These take several times as long as the others. */
const RUNS_PER_OVERLAY = 4;

/** Milliseconds between two signs of life. */
const PROGRESS_MS = 10_000;

/** The scenario with only these of its disturbances. */
function withOnly(scenario: Scenario, only: readonly number[] | undefined): Scenario {
  if (only === undefined) return scenario;
  return { ...scenario, disturbances: scenario.disturbances.filter((_, index) => only.includes(index)) };
}

/** Replays a seed. @returns Whether all went well. */
async function replay(seed: number, only: readonly number[] | undefined): Promise<boolean> {
  const scenario = scenarioOf(seed);
  const { names, overlay, preset, duration } = scenario;
  console.log(`Seed ${seed}: ${names.length} nodes, ${overlay.name}, preset ${preset}, ${duration} ms of trouble:`);
  console.log(listDisturbances(scenario, only));
  const outcome = await simulate(withOnly(scenario, only));
  if (outcome.failure !== undefined) console.log(reportFailure({ seed, only }, outcome, 80));
  else {
    console.log(outcome.timeline.last(80));
    console.log(`All is well, ${describe(outcome)}. The hash of its history is ${outcome.historyHash}.`);
  }
  return outcome.failure === undefined;
}

/** Finds few disturbances with which a seed still fails. @returns Whether it does not fail at all. */
async function shrinkSeed(seed: number, only: readonly number[] | undefined): Promise<boolean> {
  const scenario = scenarioOf(seed);
  const fails = async (kept: readonly number[]) => (await simulate(withOnly(scenario, kept))).failure !== undefined;
  const all = only ?? scenario.disturbances.map((_, index) => index);
  if (!await fails(all)) {
    console.log(`Seed ${seed} does not fail.`);
    return true;
  }
  const kept = await shrink(all, fails);
  console.log(`Of ${all.length} disturbances, ${kept.length} are enough:`);
  console.log(listDisturbances(scenario, kept));
  console.log(reportFailure({ seed, only: kept }, await simulate(withOnly(scenario, kept))));
  return false;
}

/** Tries fresh seeds. @returns Whether all went well. */
async function search(runs: number): Promise<boolean> {
  const first = Math.floor(Math.random() * OVERLAY_SEEDS);
  const failed: number[] = [];
  const start = performance.now();
  let shownAt = start;
  let events = 0;
  for (let run = 0; run < runs; run++) {
    // Those of both kinds are below what a command line can say.
    const seed = (first + run) % OVERLAY_SEEDS + (run % RUNS_PER_OVERLAY === 0 ? OVERLAY_SEEDS : 0);
    const outcome = await simulate(scenarioOf(seed));
    events += outcome.events;
    if (outcome.failure !== undefined) {
      failed.push(seed);
      console.log(reportFailure({ seed }, outcome, 10));
    }
    if (performance.now() - shownAt < PROGRESS_MS) continue;
    shownAt = performance.now();
    console.log(`${run + 1} of ${runs} runs, ${failed.length} failed`);
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${runs} runs from seed ${first} in ${seconds.toFixed(1)} s: ${(runs / seconds).toFixed(1)} runs/s, ` +
      `${Math.round(events / seconds)} events/s`,
  );
  if (failed.length === 0) console.log("All is well.");
  else console.log(`${failed.length} failed:\n${failed.map((seed) => `  ${commandFor({ seed })}`).join("\n")}`);
  return failed.length === 0;
}

function describe({ time, recovery, events, messages }: Outcome): string {
  const seconds = (time / 1000).toFixed(2);
  return `after ${seconds} s of virtual time, ${events} events and ${messages} messages; whole again after ${recovery} ms`;
}

async function main(args: readonly string[]): Promise<boolean> {
  let given: SimArguments;
  try {
    given = parseArguments(args);
  } catch (error) {
    console.error(`${(error as Error).message}.\n${USAGE}`);
    return false;
  }
  const { seed, only, runs } = given;
  if (seed === undefined) return await search(runs);
  return given.shrink ? await shrinkSeed(seed, only) : await replay(seed, only);
}

if (import.meta.main && !await main(Deno.args)) Deno.exit(1);
