// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  clientServer,
  fullMesh,
  hyparview,
  type HyParViewOptions,
  scampV1,
  scampV2,
  staticOverlay,
  type Strategy,
} from "../../strategy/mod.ts";
import type { SeededRandom } from "../../testing/seeded_random.ts";
import { present } from "../values.ts";

/** An overlay that a run is played over. */
export interface Overlay {
  readonly name: string;
  readonly isFullMesh: boolean;
  /** Whether each node has a replica of the whole membership; else it knows some of the others. */
  readonly knowsAll: boolean;
  /** Whether a node looks for all that it knows. Under SCAMP it looks for those in its view alone, and not for those in whose view it is. */
  readonly findsKnown: boolean;
  /** Most neighbours of a node at rest. */
  readonly neighboursMax: number;
  /** Strategy of each node; `names` are those of all. */
  readonly strategy: (names: readonly string[]) => Strategy;
  readonly metadata: (name: string) => Record<string, unknown>;
}

const WHOLE = { isFullMesh: false, knowsAll: true, findsKnown: true, neighboursMax: Infinity, metadata: () => ({}) };
const PARTIAL = { ...WHOLE, knowsAll: false };
const SCAMP = { ...PARTIAL, findsKnown: false };

/** The overlay of seeds that do not say otherwise. */
export const FULL_MESH: Overlay = { ...WHOLE, name: "fullMesh()", isFullMesh: true, strategy: () => fullMesh() };

/** Servers of a client/server overlay: the nodes with these names. */
const SERVERS = new Set(["n1", "n2"]);

/** Draws an overlay in which nodes keep connections with some others only: HyParView every second time. */
export function drawOverlay(random: SeededRandom): Overlay {
  switch (random.int(10)) {
    case 0:
      return { ...SCAMP, name: "scampV1()", strategy: () => scampV1({ c: 1 }) };
    case 1:
    case 2:
      return { ...SCAMP, name: "scampV2()", strategy: () => scampV2({ c: 1 }) };
    case 3:
      return { ...WHOLE, name: "clientServer()", strategy: () => clientServer(), metadata: tagOf };
    case 4:
      return { ...WHOLE, name: "staticOverlay()", strategy: ringOf };
    case 5:
      return overHyparview({ xbot: { cost: (from, to) => from.metadata.zone === to.metadata.zone ? 1 : 10 } });
    case 6:
    case 7:
      return overHyparview({ activeSize: 4, passiveSize: 6 });
    default:
      return overHyparview({});
  }
}

function overHyparview(options: HyParViewOptions): Overlay {
  const { activeSize: neighboursMax = 5 } = options;
  const shown = Object.entries(options).map(([name, value]) => typeof value === "number" ? `${name}: ${value}` : name);
  const name = `hyparview({ ${shown.join(", ")} })`;
  return { ...PARTIAL, name, neighboursMax, strategy: () => hyparview(options), metadata: zoneOf };
}

function tagOf(name: string): Record<string, unknown> {
  return { tag: SERVERS.has(name) ? "server" : "client" };
}

function zoneOf(name: string): Record<string, unknown> {
  return { zone: Number(name.slice(1)) % 2 };
}

function ringOf(names: readonly string[]): Strategy {
  return staticOverlay(names.map((name, index) => [name, present(names[(index + 1) % names.length])]));
}
