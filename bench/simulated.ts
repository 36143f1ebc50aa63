// Copyright 2026 the Partisan peer-service authors. MIT license.

import { BenchProcess } from "./bench_process.ts";
import type { SimulatedStart } from "./simulated_child.ts";
import { median } from "./statistics.ts";
import { interleave, type Subject } from "./subject.ts";

const FEW = 50;
const SIZES = [100, 200];
const SIZES_QUICK = [100];
/** Each round takes many seconds. */
const ROUNDS_MAX = 3;

/** Time in which a simulated cluster starts: whether the work for a connection grows with the number of nodes. */
export const simulated: Subject = {
  name: "simulated",
  title: `Start of a simulated full mesh: processor time for each end of a connection, against a mesh of ${FEW}`,
  baseline: `${FEW} nodes`,
  async measure({ rounds, quick }, report) {
    await using child = new BenchProcess();
    const sizes = [FEW, ...quick ? SIZES_QUICK : SIZES];
    const starts = await interleave(
      Math.min(rounds, ROUNDS_MAX),
      sizes.map((nodes) => () => child.call("startSimulated", { nodes })),
    );
    const [few, ...more] = starts.map((rounds, index) => rounds.map((start) => perEnd(start, sizes[index]!)));
    for (const [index, ours] of more.entries()) {
      report.row("simulated", {
        what: `${sizes[index + 1]} nodes`,
        unit: "µs an end",
        baseline: few!,
        ours,
        target: { atMost: 1.5 },
      });
    }
    for (const [index, rounds] of starts.entries()) {
      const seconds = (key: keyof SimulatedStart) => (median(rounds.map((start) => start[key])) / 1_000).toFixed(2);
      report.remark("simulated", `${sizes[index]} nodes start in ${seconds("wall")} s, of ${seconds("cpu")} s of CPU`);
    }
  },
};

/** Microseconds of CPU for each end of a connection. */
function perEnd({ cpu }: SimulatedStart, nodes: number): number {
  return 1_000 * cpu / (nodes * (nodes - 1));
}
