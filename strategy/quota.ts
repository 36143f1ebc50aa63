// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hashString } from "../wire/hash.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { Turn } from "./turn.ts";

/** Groups of senders. One that says too much takes the room of its group alone. */
const GROUPS = 16;

/**
 * Messages of each group of senders that this node passes on in one gossip interval, at most. A thousand nodes that join through one other in that time
 * stay below it.
 */
export const PASSED_MAX = 2_048;

/** Messages that were passed on in this interval, by the group of the sender. */
export type Passed = readonly number[];

/** Nothing was passed on. */
export const NONE_PASSED: Passed = new Array(GROUPS).fill(0);

/** Whether one more message of `from` may be passed on in this interval; counts it. */
export function mayPass<State extends { readonly passed: Passed }>(turn: Turn<State>, from: NodeSpec): boolean {
  const { passed } = turn.state;
  const group = hashString(from.name) % GROUPS;
  const count = passed[group]!;
  if (count >= PASSED_MAX) return false;
  turn.state = { ...turn.state, passed: passed.with(group, count + 1) };
  return true;
}
