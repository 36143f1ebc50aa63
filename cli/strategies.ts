// Copyright 2026 the Partisan peer-service authors. MIT license.

import { clientServer, fullMesh, hyparview, scampV1, scampV2, type Strategy } from "../mod.ts";

/** Choice of a strategy that nodes are started with. */
export interface StrategyChoice {
  /** The strategy of one node. */
  readonly create: () => Strategy;
  /** Metadata of the node of that name, if the strategy asks for any. */
  readonly metadata?: (name: string) => Readonly<Record<string, unknown>>;
}

/** Nodes that are servers where some are clients: two, so that one of them may be away. */
const SERVERS: ReadonlySet<string> = new Set(["a", "b"]);

/** The membership strategies that `--strategy` offers. */
export const strategies: Readonly<Record<string, StrategyChoice>> = {
  fullMesh: { create: fullMesh },
  hyparview: { create: hyparview },
  scampV1: { create: scampV1 },
  scampV2: { create: scampV2 },
  clientServer: {
    create: clientServer,
    metadata: (name) => ({ tag: SERVERS.has(name) ? "server" : "client" }),
  },
};

/** Whether each node keeps connections with all others. */
export function isFullMesh(strategy: string): boolean {
  return strategies[strategy]!.create().isFullMesh ?? false;
}
