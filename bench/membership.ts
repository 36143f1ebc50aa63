// Copyright 2026 the Partisan peer-service authors. MIT license.

import { BenchProcess } from "./bench_process.ts";
import type { Report, Row } from "./report.ts";
import { median } from "./statistics.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const SIZES = [8, 32, 64];
const SIZES_QUICK = [8, 32];
const IDLE_SECONDS = 3;
const MEBIBYTE = 1024 * 1024;

/** How fast a cluster forms, and what it costs to be one. */
export const membership: Subject = {
  name: "membership",
  title: "All nodes join one seed at once: time until all agree and every pair has its two connections",
  baseline: "bare dials",
  async measure(effort, report) {
    for (const nodes of effort.quick ? SIZES_QUICK : SIZES) {
      await measureMesh(nodes, 1, effort, report);
      if (!effort.quick) await measureMesh(nodes, nodes, effort, report);
    }
  },
};

type Contestant = "raw" | "ours";

/** What one cluster took. */
interface Formation {
  readonly milliseconds: number;
  /** Bytes that each node took. */
  readonly memory: number;
  /** Share of one processor that each node takes, while nothing happens. */
  readonly cpu: number;
  /** Bytes per second that come to each node, while nothing happens. */
  readonly bytes: number;
}

async function measureMesh(nodes: number, processes: number, effort: Effort, report: Report): Promise<void> {
  const rounds = processes === 1 ? effort.rounds : Math.min(3, effort.rounds);
  const [baseline, own] = await interleave(
    rounds,
    (["raw", "ours"] as const).map((contestant) => () => formMesh(contestant, nodes, processes)),
  );
  const where = processes === 1 ? "one process" : `${processes} processes`;
  const target: Pick<Row, "target"> = nodes === 64 ? { target: { atMost: 2 } } : {};
  const pick = (rounds: readonly Formation[] | undefined) => rounds!.map(({ milliseconds }) => milliseconds);
  report.row("membership", {
    what: `${nodes} nodes, ${where}`,
    unit: "ms",
    baseline: pick(baseline),
    ours: pick(own),
    ...target,
  });
  const middle = (value: (formation: Formation) => number) => median(own!.map(value));
  report.remark(
    "membership",
    [
      `${nodes} nodes, ${where}: a node takes ${(middle(({ memory }) => memory) / MEBIBYTE).toFixed(1)} MiB`,
      `idle, ${(100 * middle(({ cpu }) => cpu)).toFixed(2)} % of a processor`,
      `and ${middle(({ bytes }) => bytes).toFixed(0)} B/s`,
    ].join(", "),
  );
}

async function formMesh(contestant: Contestant, nodes: number, processes: number): Promise<Formation> {
  await using stack = new AsyncDisposableStack();
  const children = Array.from({ length: processes }, () => stack.use(new BenchProcess()));
  const all = <T>(ask: (child: BenchProcess, index: number) => Promise<T>) => Promise.all(children.map(ask));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const perProcess = nodes / processes;
  const before = processes === 1 ? sum(await all((child) => child.call("ownMemory", {}))) : 0;
  const opened = await all((child) => child.call("openMesh", { contestant, nodes: perProcess }));
  const addresses = opened.flat();
  const startedAt = performance.now();
  await all((child, index) => child.call("joinMesh", { addresses, first: index * perProcess }));
  const milliseconds = performance.now() - startedAt;
  const memory = sum(await all((child) => child.call("ownMemory", {}))) - before;
  const idle = contestant === "raw" ? [] : await all((child) => child.call("idleMesh", { seconds: IDLE_SECONDS }));
  await all((child) => child.call("closeMesh", {}));
  return {
    milliseconds,
    memory: memory / nodes,
    cpu: sum(idle.map(({ cpu }) => cpu)) / nodes,
    bytes: sum(idle.map(({ bytes }) => bytes)) / nodes,
  };
}
