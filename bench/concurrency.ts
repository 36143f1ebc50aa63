// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Pair } from "./pair.ts";
import { payloadName } from "./payload.ts";
import type { Report } from "./report.ts";
import { steadily } from "./steadily.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const PAIRS = [1, 16, 64, 128];
const PAIRS_QUICK = [1, 128];
const PAYLOADS = [
  { payload: 64, borrow: false },
  { payload: 512 * 1024, borrow: false },
  { payload: 512 * 1024, borrow: true },
];
const PARALLELISM = [1, 4];

/** The experiment of Meiklejohn et al., "Partisan: Scaling the Distributed Actor Runtime" (USENIX ATC 2019), section 5, without a long way. */
export const concurrency: Subject = {
  name: "concurrency",
  title: "Pairs of processes that echo at the same time, one message under way per pair, a partition key per pair",
  baseline: "raw socket",
  async measure(effort, report) {
    const pairs = effort.quick ? PAIRS_QUICK : PAIRS;
    for (const kind of PAYLOADS) {
      for (const parallelism of PARALLELISM) {
        await steadily(report, (once) => measurePairs({ pairs, parallelism, ...kind }, effort, once));
      }
    }
  },
};

interface Case {
  readonly pairs: readonly number[];
  readonly payload: number;
  readonly parallelism: number;
  /** Whether our handlers are done with a message when they return, as the raw ones have to be. */
  readonly borrow: boolean;
}

async function measurePairs(
  { pairs, payload, parallelism, borrow }: Case,
  effort: Effort,
  report: Report,
): Promise<void> {
  const link = { parallelism };
  await using raw = await Pair.start("raw", link);
  await using ours = await Pair.start("ours", link);
  for (const { server } of [raw, ours]) await server.call("serveEcho", { handlers: Math.max(...pairs), borrow });
  for (const count of pairs) {
    const [baseline, own] = await interleave(
      effort.rounds,
      [raw, ours].map((pair) => timed(pair, { pairs: count, payload, borrow }, effort)),
    );
    report.row("concurrency", {
      what: `${count} × ${payloadName(payload)}${borrow ? ", borrowed" : ""}, parallelism ${parallelism}`,
      unit: "ops/s",
      baseline: baseline!,
      ours: own!,
      ...(count === 128 && { target: { atLeast: 0.85 } }),
    });
  }
}

/** Makes each round take about as long. */
function timed(
  pair: Pair,
  echoes: { pairs: number; payload: number; borrow: boolean },
  { roundMs }: Effort,
): () => Promise<number> {
  const { pairs } = echoes;
  let count = 2 * pairs;
  return async () => {
    const rate = await pair.client.call("runPairs", { ...echoes, count });
    count = Math.max(2 * pairs, Math.ceil(rate * roundMs / 1000));
    return rate;
  };
}
