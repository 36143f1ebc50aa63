// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../membership/mod.ts";
import { hyparview, type Strategy } from "../strategy/mod.ts";
import { OverlayGraph } from "../testing/overlay_graph.ts";
import { StrategySimulator } from "../testing/strategy_simulator.ts";
import type { Subject } from "./subject.ts";

const NODES = 200;
const SEEDS = [1, 2, 3];
/** Milliseconds for which the nodes are left alone. */
const SETTLING_MS = 600_000;
const MINUTE_MS = 60_000;
/** Nodes from which distances are measured. */
const STARTS = [0, 10, 50];
/** Links within a zone cost 1, and others so much. */
const COST_ACROSS = 10;

/** Units of the measurements. */
const UNITS = {
  cost: "a link",
  neighbours: "a node",
  distance: "links",
  clustering: "coefficient",
  messages: "a node and minute",
} as const;

type Measured = Record<keyof typeof UNITS, number>;

/** Links of HyParView with X-BOT in two zones, in virtual time: the same on every machine. */
export const zones: Subject = {
  name: "zones",
  title: `HyParView with X-BOT, ${NODES} nodes in two zones, a link across costs ${COST_ACROSS} times one within`,
  baseline: "HyParView",
  measure(_effort, report) {
    const baseline = SEEDS.map((seed) => measureZones(hyparview(), seed));
    const ours = SEEDS.map((seed) => measureZones(hyparview({ xbot: { cost } }), seed));
    for (const [what, unit] of Object.entries(UNITS)) {
      const of = (results: readonly Measured[]) => results.map((result) => result[what as keyof Measured]);
      report.row("zones", { unit, what, baseline: of(baseline), ours: of(ours) });
    }
    return Promise.resolve();
  },
};

function measureZones(strategy: Strategy, seed: number): Measured {
  const cluster = new StrategySimulator(strategy, { seed, metadata: (name) => ({ zone: Number(name.slice(1)) % 2 }) });
  for (let index = 0; index < NODES; index++) {
    cluster.start(`n${index}`, { join: index > 0 ? "n0" : undefined });
    cluster.run(50);
  }
  cluster.run(SETTLING_MS);
  const before = cluster.messages;
  cluster.run(MINUTE_MS);
  const names = cluster.alive;
  const graph = new OverlayGraph(names, (name) => cluster.neighbours(name));
  const costs = names.flatMap((name) =>
    cluster.neighbours(name).map((other) => cost(cluster.spec(name), cluster.spec(other)))
  );
  return {
    cost: mean(costs),
    neighbours: mean(graph.degrees),
    distance: graph.distances(STARTS).mean,
    clustering: graph.clustering,
    messages: (cluster.messages - before) / NODES,
  };
}

function cost(from: NodeSpec, to: NodeSpec): number {
  return from.metadata.zone === to.metadata.zone ? 1 : COST_ACROSS;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value) / values.length;
}
