// Copyright 2026 the Partisan peer-service authors. MIT license.

import { fromRanges, toRanges } from "../wire/sequence_ranges.ts";

/** Identity of a broadcast. */
export interface BroadcastId {
  /** Name of the node that broadcast it. */
  readonly root: string;
  /** Incarnation of that node. */
  readonly incarnation: number;
  /** Number of the broadcast among those of its root, from 1. */
  readonly sequence: number;
}

/** Broadcasts of one incarnation of a node, as pairs of first and last sequence number, ascending. */
export interface BroadcastRanges {
  /** Name of the node. */
  readonly root: string;
  /** Incarnation of it. */
  readonly incarnation: number;
  /** The pairs. */
  readonly ranges: readonly number[];
}

/** No broadcast of `root`: a graft that names only this asks for the link alone. No incarnation is 0. */
export function noneOf(root: string): BroadcastRanges {
  return { root, incarnation: 0, ranges: [] };
}

/** A string that no other id gives. */
export function broadcastKey({ root, incarnation, sequence }: BroadcastId): string {
  return `${incarnation}:${sequence}:${root}`;
}

/** Packs ids, none of them twice, in the order in which their roots appear. */
export function packIds(ids: Iterable<BroadcastId>): BroadcastRanges[] {
  const incarnations = new Map<string, { root: string; incarnation: number; sequences: number[] }>();
  for (const { root, incarnation, sequence } of ids) {
    const key = `${incarnation}:${root}`;
    const known = incarnations.get(key);
    if (known === undefined) incarnations.set(key, { root, incarnation, sequences: [sequence] });
    else known.sequences.push(sequence);
  }
  return Array.from(incarnations.values(), ({ root, incarnation, sequences }) => ({
    root,
    incarnation,
    ranges: toRanges(sequences),
  }));
}

/** Undoes {@linkcode packIds}. */
export function* unpackIds(packed: Iterable<BroadcastRanges>): Generator<BroadcastId> {
  for (const { root, incarnation, ranges } of packed) {
    for (const sequence of fromRanges(ranges)) yield { root, incarnation, sequence };
  }
}
