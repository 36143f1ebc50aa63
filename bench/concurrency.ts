// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type SlowNetwork, slowNetwork, slowNetworkObstacle } from "./network.ts";
import { Pair } from "./pair.ts";
import { payloadName } from "./payload.ts";
import type { Report } from "./report.ts";
import { steadily } from "./steadily.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const PAIRS = [1, 16, 64, 128];
const PAIRS_QUICK = [1, 128];
const PAIRS_SLOW = [16, 128];
const PAYLOADS = [64, 512 * 1024];
const PARALLELISM = [1, 4];
const DELAYS_MS = [1, 20];

/** The experiment of Meiklejohn et al., "Partisan: Scaling the Distributed Actor Runtime" (USENIX ATC 2019), section 5. */
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
    const obstacle = effort.quick ? "it takes long" : await slowNetworkObstacle();
    if (obstacle !== undefined) {
      report.remark("concurrency", `Skipped with a delay of ${DELAYS_MS.join(" and ")} ms: ${obstacle}`);
      return;
    }
    for (const delay of DELAYS_MS) {
      await using network = await slowNetwork(delay);
      for (const payload of PAYLOADS) {
        for (const parallelism of PARALLELISM) {
          await measurePairs({ pairs: PAIRS_SLOW, payload, parallelism, delay, network }, effort, report);
        }
      }
    }
  },
};

interface Case {
  readonly pairs: readonly number[];
  readonly payload: number;
  readonly parallelism: number;
  readonly delay?: number;
  readonly network?: SlowNetwork;
}

async function measurePairs(
  { pairs, payload, parallelism, delay, network }: Case,
  effort: Effort,
  report: Report,
): Promise<void> {
  const link = { parallelism, ...(network && { hostname: network.hostname }) };
  await using raw = await Pair.start("raw", link, network?.prefixes);
  await using ours = await Pair.start("ours", link, network?.prefixes);
  for (const { server } of [raw, ours]) await server.call("serveEcho", { handlers: Math.max(...pairs) });
  for (const count of pairs) {
    const [baseline, own] = await interleave(
      effort.rounds,
      [raw, ours].map((pair) => timed(pair, count, payload, effort)),
    );
    const where = delay === undefined ? "" : `, ${delay} ms each way`;
    report.row("concurrency", {
      what: `${count} × ${payloadName(payload)}, parallelism ${parallelism}${where}`,
      unit: "ops/s",
      baseline: baseline!,
      ours: own!,
      ...(count === 128 && delay === undefined && { target: { atLeast: 0.85 } }),
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
