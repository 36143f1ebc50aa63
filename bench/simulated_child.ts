// Copyright 2026 the Partisan peer-service authors. MIT license.

import process from "node:process";
import { SimulatedCluster } from "../testing/mod.ts";
import type { Stage } from "./stage.ts";

/** Cost of the start of a simulated cluster. */
export interface SimulatedStart {
  /** Milliseconds. */
  readonly wall: number;
  /** Milliseconds of all processors, collection of garbage included. */
  readonly cpu: number;
}

/** Starts a full mesh of simulated nodes, up to where all are connected with all, and ends it. */
export async function startSimulated(_: Stage, { nodes }: { nodes: number }): Promise<SimulatedStart> {
  const [before, startedAt] = [process.cpuUsage(), performance.now()];
  const cluster = await SimulatedCluster.start({ nodes });
  const wall = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  await cluster[Symbol.asyncDispose]();
  return { wall, cpu: (user + system) / 1_000 };
}
