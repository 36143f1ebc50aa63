// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hashString } from "../wire/hash.ts";

/** Up to this many peers a node keeps all as neighbours. */
const ALL_MAX = 6;

/**
 * Picks the neighbours for a broadcast tree in a full mesh, where all peers would be far too many: a flood or an
 * announcement would go over every one of N² links.
 *
 * Nodes stand on a ring in the order of a hash of their names, and each takes those that are 1, 2, 4, 8, ... places away,
 * on either side. Nodes that know the same names come to picks that fit together: every link is one from both its ends, the
 * whole is connected, no node is more than about log₂ N links away, and each has at most 2 log₂ N neighbours.
 *
 * @param self Name of this node.
 * @param peers Names of all other nodes to which there is a connection.
 * @returns Names of some of them, or of all when they are few.
 */
export function broadcastNeighbours(self: string, peers: Iterable<string>): string[] {
  const names = [...new Set(peers).add(self)];
  if (names.length - 1 <= ALL_MAX) return names.filter((name) => name !== self);
  const ring = names.map((name) => ({ name, place: hashString(name) }))
    .sort((a, b) => a.place - b.place || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
  const start = ring.indexOf(self);
  const picked = new Set<string>();
  for (let distance = 1; distance <= ring.length / 2; distance *= 2) {
    picked.add(ring[(start + distance) % ring.length]!);
    picked.add(ring[(start - distance + ring.length) % ring.length]!);
  }
  return [...picked];
}
