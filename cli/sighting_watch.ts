// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Action, ClusterModel, Observation } from "./cluster_model.ts";

/** Sighting that each action on a node must have at all others, in a full mesh. */
export const consequences: Readonly<Record<Action["kind"], Observation["kind"] | undefined>> = {
  start: "up",
  kill: "down",
  pause: "down",
  resume: "up",
  cut: "down",
  heal: "up",
  leave: "leave",
  stop: undefined,
};

/**
 * Sighting that an action on a node must have at others; in a partial overlay at its neighbours, or with `"up"` at one node at
 * least.
 */
export function consequenceOf(kind: Action["kind"], { isFullMesh }: ClusterModel): Observation["kind"] | undefined {
  // Not all neighbours know a node by name, but all notice that it is gone.
  return kind === "leave" && !isFullMesh ? "down" : consequences[kind];
}

/** Follows the log, and knows at any time who has to see what. */
export interface SightingWatch {
  /** Failures so far. */
  readonly failures: readonly string[];
  /** Takes what was done. */
  act(action: Action): void;
  /** Takes what was seen. */
  observe(observation: Observation): void;
  /** Sightings that are still missing. */
  missing(): string[];
}

/** Tells that a node did not see what became of another one. */
export function neverSaw(observer: string, node: string, kind: Observation["kind"]): string {
  return `${observer} never saw ${node} ${kind}`;
}
