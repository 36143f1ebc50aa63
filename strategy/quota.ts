// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hashString } from "../wire/hash.ts";

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

/** Counts a message of `sender` that is to be passed on. `undefined` when it is one too many. */
export function withPassed(passed: Passed, sender: string): Passed | undefined {
  const group = hashString(sender) % GROUPS;
  const count = passed[group]!;
  return count < PASSED_MAX ? passed.with(group, count + 1) : undefined;
}
