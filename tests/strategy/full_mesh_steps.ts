// Copyright 2026 the Partisan peer-service authors. MIT license.

import { gossipFromValue } from "../../gossip/gossip_message.ts";
import { fullMesh } from "../../strategy/full_mesh.ts";
import type { FullMeshState } from "../../strategy/full_mesh_state.ts";
import type { StrategyContext, Transition } from "../../strategy/strategy.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { seededRandom } from "../seeded_random.ts";

/** Full mesh with its default options, whose steps a test takes one by one. */
export const strategy = fullMesh();

/** A context in which nodes of these names are connected. */
export function contextOf(connected: readonly string[] = [], now = 0): StrategyContext {
  return { now, random: seededRandom(1).next, connected: new Set(connected) };
}

/** The state of a node that is in a cluster with these others, all connected and quiet. */
export function memberState(self: NodeSpec, others: readonly NodeSpec[]): FullMeshState {
  const { state } = strategy.init(self, contextOf());
  let { set } = state;
  for (const other of others) set = set.merge(strategy.init(other, contextOf()).state.set);
  return { ...state, set };
}

/** Names of the members, in order. */
export function names(state: FullMeshState): string[] {
  return strategy.members(state).map(({ name }) => name);
}

/** Messages of a step, as `name kind`. */
export function told({ outgoing }: Transition<FullMeshState>): string[] {
  return outgoing.map(({ to, message }) => `${to.name} ${gossipFromValue(message).kind}`);
}
