// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { own } from "../wire/own.ts";

/** Most connections of a channel that only one side has. */
const ONE_SIDED_MAX = 16;
/** All channels that only one side has share so many; each has one at least. */
const ONE_SIDED_TOTAL = 64;

type Channels = Pick<NodeSpec, "channels">;

/**
 * Number of connections of two nodes on each channel. Both sides come to the same numbers, and neither can impose its own: a
 * channel that both have gets as many as the side that wants fewer says; one that only one side has gets what that side wants,
 * within bounds.
 *
 * @returns By channel, for each one that either side has.
 */
export function agreedSlots(a: Channels, b: Channels): ReadonlyMap<string, number> {
  const slots = new Map<string, number>();
  for (const channel in a.channels) slots.set(channel, agreedSlotsOn(channel, a, b));
  for (const channel in b.channels) if (!slots.has(channel)) slots.set(channel, agreedSlotsOn(channel, a, b));
  return slots;
}

/** Number of connections of two nodes on one channel: none where neither has it. */
export function agreedSlotsOn(channel: string, a: Channels, b: Channels): number {
  const [ours, theirs] = [own(a.channels, channel), own(b.channels, channel)];
  if (ours !== undefined && theirs !== undefined) return Math.min(ours.parallelism, theirs.parallelism);
  if (ours !== undefined) return Math.min(ours.parallelism, oneSidedShare(a, b));
  return theirs === undefined ? 0 : Math.min(theirs.parallelism, oneSidedShare(b, a));
}

/** Most connections of a channel that `mine` has and `others` has not. */
function oneSidedShare(mine: Channels, others: Channels): number {
  let oneSided = 0;
  for (const channel in mine.channels) if (!Object.hasOwn(others.channels, channel)) oneSided++;
  return Math.min(ONE_SIDED_MAX, Math.max(1, Math.floor(ONE_SIDED_TOTAL / oneSided)));
}
