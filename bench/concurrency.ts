// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Pair } from "./pair.ts";
import { payloadName } from "./payload.ts";
import type { Report } from "./report.ts";
import { steadily } from "./steadily.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const PAIRS = [1, 16, 64, 128];
const PAIRS_QUICK = [1, 128];
const PAYLOADS = [64, 512 * 1024];
const PARALLELISM = [1, 4];

/** The experiment of Meiklejohn et al., "Partisan: Scaling the Distributed Actor Runtime" (USENIX ATC 2019), section 5, without a long way. */
export const concurrency: Subject = {
  name: "concurrency",
  title: "Pairs of processes that echo at the same time, one message under way per pair, a partition key per pair",
  baseline: "raw socket",
  async measure(effort, report) {
    const pairs = effort.quick ? PAIRS_QUICK : PAIRS;
    for (const payload of PAYLOADS) {
      for (const parallelism of PARALLELISM) {
        await steadily(report, (once) => measurePairs({ pairs, payload, parallelism }, effort, once));
      }
    }
  },
};

interface Case {
  readonly pairs: readonly number[];
  readonly payload: number;
  readonly parallelism: number;
}

async function measurePairs(
  { pairs, payload, parallelism }: Case,
  effort: Effort,
  report: Report,
): Promise<void> {
  const link = { parallelism };
  await using raw = await Pair.start("raw", link);
  await using ours = await Pair.start("ours", link);
  for (const { server } of [raw, ours]) await server.call("serveEcho", { handlers: Math.max(...pairs) });
  for (const count of pairs) {
    const [baseline, own] = await interleave(
      effort.rounds,
      [raw, ours].map((pair) => timed(pair, count, payload, effort)),
    );
    report.row("concurrency", {
      what: `${count} × ${payloadName(payload)}, parallelism ${parallelism}`,
      unit: "ops/s",
      baseline: baseline!,
      ours: own!,
      ...(count === 128 && { target: { atLeast: 0.85 } }),
    });
  }
}

/** Makes each round take about as long. */
function timed(pair: Pair, pairs: number, payload: number, { roundMs }: Effort): () => Promise<number> {
  let count = 2 * pairs;
  return async () => {
    const rate = await pair.client.call("runPairs", { pairs, count, payload });
    count = Math.max(2 * pairs, Math.ceil(rate * roundMs / 1000));
    return rate;
  };
}
