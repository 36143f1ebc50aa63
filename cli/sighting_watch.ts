// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Action, ClusterModel, Observation } from "./cluster_model.ts";

/** What all others must see of what was done to a node, in a full mesh. */
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

/** What others must see of what was done to a node; in a partial overlay its neighbours, or with `"up"` at least one node. */
export function consequenceOf(kind: Action["kind"], { isFullMesh }: ClusterModel): Observation["kind"] | undefined {
  // Not all neighbours know a node by name, but all notice that it is gone.
  return kind === "leave" && !isFullMesh ? "down" : consequences[kind];
}

/** Follows the log, and knows at any time who has to see what. */
export interface SightingWatch {
  /** What was not as it should be, so far. */
  readonly failures: readonly string[];
  /** Takes what was done. */
  act(action: Action): void;
  /** Takes what was seen. */
  observe(observation: Observation): void;
  /** What is still to be seen. */
  missing(): string[];
}

/** Tells that a node did not see what became of another one. */
export function neverSaw(observer: string, node: string, kind: Observation["kind"]): string {
  return `${observer} never saw ${node} ${kind}`;
}
