// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { FullMeshOptions } from "./full_mesh.ts";
import { PartialMesh } from "./partial_mesh.ts";
import type { Strategy } from "./strategy.ts";

/**
 * Pairs of nodes that keep connections with each other: pairs of names, or the neighbours of a name. The order of a pair makes
 * no difference.
 */
export type StaticEdges = readonly (readonly [a: string, b: string])[] | ((name: string) => Iterable<string>);

/**
 * The strategy in which connections are exactly as given, as far as both ends are members. Everyone knows everyone, and all
 * nodes must be given the same edges. Where these do not connect all members, those of different parts do not hear
 * of each other's changes.
 *
 * @param edges Pairs of names, or a function that tells the neighbours of a name.
 * @param options Amount of gossip, and time to remember departures: as in a full mesh.
 * @returns The strategy.
 * @throws {TypeError} When an option has another kind of value, or a name that is not known.
 * @throws {RangeError} When an option is out of range.
 *
 * @example A line of three
 * ```ts
 * import { staticOverlay } from "@partisan/peer-service/strategy";
 * import { StrategySimulator } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const cluster = new StrategySimulator(staticOverlay([["a", "b"], ["b", "c"]]));
 * cluster.start("a");
 * cluster.start("b", { join: "a" });
 * cluster.start("c", { join: "a" });
 * cluster.run(5_000);
 *
 * assertEquals(cluster.neighbours("a"), ["b"]);
 * assertEquals(cluster.neighbours("b"), ["a", "c"]);
 * assertEquals(cluster.members("a"), ["a", "b", "c"]);
 * ```
 */
export function staticOverlay(edges: StaticEdges, options: FullMeshOptions = {}): Strategy {
  const neighbours = typeof edges === "function" ? edges : neighboursIn(edges);
  return new PartialMesh("static", options, (self) => {
    const own = new Set(neighbours(self.name));
    return ({ name }) => own.has(name) || Iterator.from(neighbours(name)).some((other) => other === self.name);
  });
}

function neighboursIn(edges: readonly (readonly [string, string])[]): (name: string) => ReadonlySet<string> {
  const byName = Map.groupBy(edges, ([a]) => a);
  const neighbours = new Map([...byName].map(([name, pairs]) => [name, new Set(pairs.map(([, other]) => other))]));
  return (name) => neighbours.get(name) ?? new Set();
}
