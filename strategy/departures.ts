// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Life } from "./check_message.ts";

/**
 * Those who left lately: by name the last incarnation that is gone. A partial view has no record of the whole
 * membership, so a node that left could come back with a list that was under way meanwhile; this memory stops it.
 */
export type Departures = ReadonlyMap<string, number>;

/** How many departures are remembered; the oldest go first. */
export const DEPARTURES_MAX = 1_024;

/** Whether that life of the node is over. */
export function hasDeparted(departures: Departures, node: Life): boolean {
  const last = departures.get(node.name);
  return last !== undefined && last >= node.incarnation;
}

/** Remembers that `node`, and every earlier life of it, is gone. */
export function withDeparture(departures: Departures, node: Life): Departures {
  if (hasDeparted(departures, node)) return departures;
  const next = new Map(departures);
  next.delete(node.name);
  next.set(node.name, node.incarnation);
  if (next.size > DEPARTURES_MAX) {
    for (const oldest of next.keys()) {
      next.delete(oldest);
      break;
    }
  }
  return next;
}

/** The latest departures: what a node has to hear that was out of reach. */
export function latestDepartures(departures: Departures): readonly Life[] {
  return [...departures].slice(-LATEST_MAX).map(([name, incarnation]) => ({ name, incarnation }));
}

const LATEST_MAX = 16;
