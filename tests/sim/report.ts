// Copyright 2026 the Partisan peer-service authors. MIT license.

import { describeFault } from "../../testing/fault.ts";
import { describeOperation } from "./operation.ts";
import { isOperation, type Scenario } from "./scenario.ts";
import type { Outcome } from "./simulate.ts";

/** Recipe by which a run is repeated: a seed, and which of its disturbances, if not all of them. */
export interface Recipe {
  readonly seed: number;
  readonly only?: readonly number[] | undefined;
}

/** The one command that repeats a run. */
export function commandFor({ seed, only }: Recipe): string {
  return `deno task sim --seed ${seed}${only === undefined ? "" : ` --only ${only.join(",") || "none"}`}`;
}

/** Tells what failed, the last events, and how to see it again. */
export function reportFailure(recipe: Recipe, { failure, time, timeline }: Outcome, lines = 40): string {
  return [
    `Seed ${recipe.seed} fails after ${(time / 1000).toFixed(2)} s of virtual time: ${failure}`,
    timeline.last(lines),
    `Reproduce it with: ${commandFor(recipe)}`,
  ].join("\n");
}

/** Lists what disturbs a run, numbered. */
export function listDisturbances({ disturbances }: Scenario, only?: readonly number[]): string {
  return disturbances.flatMap((disturbance, index) => {
    if (only !== undefined && !only.includes(index)) return [];
    const what = isOperation(disturbance) ? describeOperation(disturbance) : describeFault(disturbance);
    return `  [${index}] at ${disturbance.at} ms for ${disturbance.duration} ms: ${what}`;
  }).join("\n");
}
