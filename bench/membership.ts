// Copyright 2026 the Partisan peer-service authors. MIT license.

import { BenchProcess } from "./bench_process.ts";
import type { Report, Row } from "./report.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const SIZES = [8, 32, 64];
const SIZES_QUICK = [8, 32];
const IDLE_SECONDS = 3;
const MEBIBYTE = 1024 * 1024;

/** Time in which a cluster forms, and its cost. */
export const membership: Subject = {
  name: "membership",
  title: "All nodes join one seed at once: time until all agree and every pair is connected",
  baseline: "bare dials",
  async measure(effort, report) {
    for (const nodes of effort.quick ? SIZES_QUICK : SIZES) {
      await measureMesh(nodes, 1, effort, report);
      if (!effort.quick) await measureMesh(nodes, nodes, effort, report);
    }
  },
};

type Contestant = "raw" | "ours";

/** Has all processes of a cluster do something. */
type All = <T>(ask: (child: BenchProcess, index: number) => Promise<T>) => Promise<T[]>;

/** Cost of each node of a cluster. */
interface Cost {
  /** Bytes, in processes that have done nothing else. */
  readonly memory: number;
  /** Share of one processor, while nothing happens. */
  readonly cpu: number;
  /** Bytes per second that come to it, while nothing happens. */
  readonly bytes: number;
}

async function measureMesh(nodes: number, processes: number, effort: Effort, report: Report): Promise<void> {
  const [baseline, own] = await withProcesses(processes, (all) => {
    const contestants: Contestant[] = ["raw", "ours"];
    const rounds = contestants.map((contestant) => async () => {
      const milliseconds = await formMesh(all, contestant, nodes, processes);
      await all((child) => child.call("closeMesh", {}));
      return milliseconds;
    });
    return interleave(effort.rounds, rounds);
  });
  const where = processes === 1 ? "one process" : `${processes} processes`;
  const target: Pick<Row, "target"> = nodes === 64 ? { target: { atMost: processes === 1 ? 2.5 : 5 } } : {};
  report.row("membership", {
    what: `${nodes} nodes, ${where}`,
    unit: "ms",
    baseline: baseline!,
    ours: own!,
    ...target,
  });
  const { memory, cpu, bytes } = await withProcesses(processes, (all) => costOf(all, nodes, processes));
  report.remark(
    "membership",
    [
      `${nodes} nodes, ${where}: a node takes ${(memory / MEBIBYTE).toFixed(1)} MiB`,
      `idle, ${(100 * cpu).toFixed(2)} % of a processor`,
      `and ${bytes.toFixed(0)} B/s`,
    ].join(", "),
  );
}

async function withProcesses<T>(processes: number, work: (all: All) => Promise<T>): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const children = Array.from({ length: processes }, () => stack.use(new BenchProcess()));
  return await work((ask) => Promise.all(children.map(ask)));
}

/** @returns Milliseconds until all are connected with all. */
async function formMesh(all: All, contestant: Contestant, nodes: number, processes: number): Promise<number> {
  const perProcess = nodes / processes;
  const opened = await all((child) => child.call("openMesh", { contestant, nodes: perProcess }));
  const addresses = opened.flat();
  const startedAt = performance.now();
  await all((child, index) => child.call("joinMesh", { addresses, first: index * perProcess }));
  return performance.now() - startedAt;
}

async function costOf(all: All, nodes: number, processes: number): Promise<Cost> {
  const each = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / nodes;
  const memory = async () => each(await all((child) => child.call("ownMemory", {})));
  // A node that has a process to itself takes all of it.
  const before = processes === 1 ? await memory() : 0;
  await formMesh(all, "ours", nodes, processes);
  const after = await memory();
  const idle = await all((child) => child.call("idleMesh", { seconds: IDLE_SECONDS }));
  await all((child) => child.call("closeMesh", {}));
  return { memory: after - before, cpu: each(idle.map(({ cpu }) => cpu)), bytes: each(idle.map(({ bytes }) => bytes)) };
}
