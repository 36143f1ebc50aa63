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
  addSlots(slots, a.channels, b.channels);
  addSlots(slots, b.channels, a.channels);
  return slots;
}

function addSlots(slots: Map<string, number>, mine: Channels["channels"], others: Channels["channels"]): void {
  const channels = Object.keys(mine);
  const oneSided = channels.filter((channel) => !Object.hasOwn(others, channel)).length;
  const share = Math.max(1, Math.floor(ONE_SIDED_TOTAL / Math.max(1, oneSided)));
  channels.forEach((channel) => {
    const theirs = own(others, channel)?.parallelism;
    slots.set(channel, Math.min(mine[channel]!.parallelism, theirs ?? Math.min(ONE_SIDED_MAX, share)));
  });
}
