// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  clientServer,
  fullMesh,
  hyparview,
  scampV1,
  scampV2,
  staticOverlay,
  type Strategy,
} from "@partisan/peer-service/strategy";
import type { NodeSpec } from "@partisan/peer-service/membership";
import { strategyChecks, type StrategyTestOptions } from "@partisan/peer-service/testing";
import { present } from "../values.ts";

const NAMES = Array.from({ length: 12 }, (_, index) => `n${index}`);

/** Each node and the four that follow it on a ring: connected as long as no four in a row are missing. */
const EDGES = NAMES.flatMap((name, index) =>
  [1, 2, 3, 4].map((step) => [name, present(NAMES[(index + step) % NAMES.length])] as const)
);

const SERVERS = new Set(NAMES.slice(0, 5));

const zoneCost = (one: NodeSpec, other: NodeSpec) => one.metadata.zone === other.metadata.zone ? 1 : 10;

const STRATEGIES: readonly (readonly [() => Strategy, StrategyTestOptions])[] = [
  [fullMesh, { knowsAll: true, isSymmetric: true }],
  [clientServer, {
    knowsAll: true,
    isSymmetric: true,
    metadata: (name) => ({ tag: SERVERS.has(name) ? "server" : "client" }),
  }],
  [() => staticOverlay(EDGES), { knowsAll: true, isSymmetric: true }],
  [() => scampV1({ c: 1 }), {}],
  [() => scampV2({ c: 1 }), {}],
  [hyparview, { isSymmetric: true }],
  [() => hyparview({ xbot: { cost: zoneCost } }), {
    isSymmetric: true,
    metadata: (name) => ({ zone: NAMES.indexOf(name) % 2 }),
  }],
];

for (const [create, options] of STRATEGIES) {
  for (const { name, run } of strategyChecks(create, { names: NAMES, seeds: [1], ...options })) Deno.test(name, run);
}
