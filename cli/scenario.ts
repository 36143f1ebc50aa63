// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SeededRandom } from "../testing/seeded_random.ts";
import type { Action } from "./cluster_model.ts";

/** One thing that an unattended run does to the cluster. */
export interface Step {
  /** Time of the step, in seconds since the beginning. Later when the step before has not come to an end. */
  readonly at: number;
  readonly kind: Action["kind"];
  readonly node: string;
}

/** Steps of a run, and the end of its traffic. */
export interface Scenario {
  readonly steps: readonly Step[];
  /** Seconds since the beginning. */
  readonly quietAt: number;
}

/** From here on there is time for a pause as well. */
const SECONDS_WITH_PAUSE_MIN = 12;
/** Seconds for the last messages and the summary. */
const QUIET_SECONDS = 1;

/**
 * Spreads a kill, a restart, perhaps a pause, and a leave over the time that there is.
 *
 * @param names The nodes; at least two.
 * @param seconds Duration of the run.
 * @param seed Chooses the victims: different ones, as far as there are enough nodes.
 */
export function planScenario(names: readonly string[], seconds: number, seed: number): Scenario {
  const victims = new SeededRandom(seed).shuffle(names);
  const [killed, paused, leaving] = [victims[0]!, victims[1]!, victims[2 % victims.length]!];
  const steps: Omit<Step, "at">[] = [
    { kind: "kill", node: killed },
    { kind: "start", node: killed },
    { kind: "pause", node: paused },
    { kind: "resume", node: paused },
    { kind: "leave", node: leaving },
  ];
  const chosen = seconds < SECONDS_WITH_PAUSE_MIN
    ? steps.filter(({ kind }) => kind !== "pause" && kind !== "resume")
    : steps;
  const quietAt = seconds - QUIET_SECONDS;
  return {
    steps: chosen.map((step, index) => ({ ...step, at: quietAt * (index + 1) / (chosen.length + 1) })),
    quietAt,
  };
}
