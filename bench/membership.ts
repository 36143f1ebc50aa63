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
}

/** What each node of a cluster takes while nothing happens. */
interface Idleness {
  /** Share of one processor. */
  readonly cpu: number;
  /** Bytes per second that come to it. */
  readonly bytes: number;
}

async function measureMesh(nodes: number, processes: number, effort: Effort, report: Report): Promise<void> {
  const [baseline, own] = await interleave(
    effort.rounds,
    (["raw", "ours"] as const).map((contestant) => () => withMesh(contestant, nodes, processes, formation)),
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
  const memory = median(own!.map(({ memory }) => memory));
  const { cpu, bytes } = await withMesh("ours", nodes, processes, idleness);
  report.remark(
    "membership",
    [
      `${nodes} nodes, ${where}: a node takes ${(memory / MEBIBYTE).toFixed(1)} MiB`,
      `idle, ${(100 * cpu).toFixed(2)} % of a processor`,
      `and ${bytes.toFixed(0)} B/s`,
    ].join(", "),
  );
}

/** A cluster that has just formed. */
interface Mesh extends Formation {
  readonly nodes: number;
  /** Has all its processes do something. */
  all<T>(ask: (child: BenchProcess, index: number) => Promise<T>): Promise<T[]>;
}

async function withMesh<T>(
  contestant: Contestant,
  nodes: number,
  processes: number,
  look: (mesh: Mesh) => T | Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const children = Array.from({ length: processes }, () => stack.use(new BenchProcess()));
  const all = <T>(ask: (child: BenchProcess, index: number) => Promise<T>) => Promise.all(children.map(ask));
  const perProcess = nodes / processes;
  const before = processes === 1 ? sum(await all((child) => child.call("ownMemory", {}))) : 0;
  const opened = await all((child) => child.call("openMesh", { contestant, nodes: perProcess }));
  const addresses = opened.flat();
  const startedAt = performance.now();
  await all((child, index) => child.call("joinMesh", { addresses, first: index * perProcess }));
  const milliseconds = performance.now() - startedAt;
  const memory = (sum(await all((child) => child.call("ownMemory", {}))) - before) / nodes;
  const seen = await look({ nodes, all, milliseconds, memory });
  await all((child) => child.call("closeMesh", {}));
  return seen;
}

function formation({ milliseconds, memory }: Mesh): Formation {
  return { milliseconds, memory };
}

async function idleness({ nodes, all }: Mesh): Promise<Idleness> {
  const idle = await all((child) => child.call("idleMesh", { seconds: IDLE_SECONDS }));
  return { cpu: sum(idle.map(({ cpu }) => cpu)) / nodes, bytes: sum(idle.map(({ bytes }) => bytes)) / nodes };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
