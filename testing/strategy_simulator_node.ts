// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** One node, in one of its incarnations. */
export class StrategySimulatorNode<State> {
  /** Specification of the node. */
  readonly spec: NodeSpec;
  /** Its own chance. */
  readonly random: SeededRandom;
  /** State of its strategy. */
  state: State;
  /** Part of a cut network that it is in. */
  group: number;
  /** Its peers, as its strategy returned them last. */
  peers: readonly NodeSpec[] = [];
  /** Its peers, by name. */
  readonly wanted = new Map<string, NodeSpec>();
  /** Whether it runs. */
  isAlive = true;
  /** Whether it was a member of its own cluster in its last round. */
  wasMember = true;

  /** Begins with the state that `init` returned. */
  constructor(spec: NodeSpec, state: State, random: SeededRandom, group: number) {
    this.spec = spec;
    this.random = random;
    this.state = state;
    this.group = group;
  }
}
