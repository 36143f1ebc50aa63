// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ChannelSpec } from "./node_spec.ts";

/** Those that were asked for: all nodes of a cluster have about the same. */
const SPECS: ChannelSpec[] = [];

/** A channel as one small number. */
export function channelToNumber({ parallelism, monotonic, compression }: ChannelSpec): number {
  return parallelism * 4 + (monotonic ? 2 : 0) + (compression ? 1 : 0);
}

/** The channel of such a number. */
export function channelFromNumber(number: number): ChannelSpec {
  return { parallelism: number >> 2, monotonic: (number & 2) !== 0, compression: (number & 1) !== 0 };
}

/** The one object for the channel of a number that was checked, which cannot be changed. */
export function sharedChannel(number: number): ChannelSpec {
  return SPECS[number] ??= Object.freeze(channelFromNumber(number));
}
