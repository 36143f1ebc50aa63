// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Pair } from "./pair.ts";
import { median } from "./statistics.ts";
import type { Report } from "./report.ts";
import { steadily } from "./steadily.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const BULK_BYTES = 512 * 1024;
const ECHO_BYTES = 64;
/** Echoes of a round: of 600, the p99 would be the sixth worst, and a matter of chance. */
const ECHOES_PER_MS = 20;
/** Milliseconds after which no more of them are made: over raw sockets, each may take a fifth of a second. */
const ECHOES_MS = 1_000;
/** Milliseconds until a contestant is compiled: that takes a processor meanwhile, which an echo waits for. */
const WARM_UP_MS = 4_000;

/** Whether a bulk transfer on one channel delays the messages of another. */
export const headOfLine: Subject = {
  name: "head-of-line",
  title: "Echo of 64 B, alone and during a bulk transfer of 512 KiB messages on another channel",
  baseline: "raw, two sockets",
  async measure(effort, report) {
    const link = { parallelism: 2, channels: true };
    await using raw = await Pair.start("raw", link);
    await using ours = await Pair.start("ours", link);
    const count = Math.ceil(effort.roundMs * ECHOES_PER_MS);
    const contestants = [raw, ours].map((pair) => () => measureBoth(pair, count));
    for (const contestant of contestants) await warmUp(contestant);
    await steadily(report, (once) => measureBeside(effort, contestants, once));
  },
};

async function measureBeside(
  { rounds }: Effort,
  contestants: readonly (() => Promise<Both>)[],
  report: Report,
): Promise<void> {
  const [baseline, own] = await interleave(rounds, contestants);
  const middle = (pick: (round: Both) => number) => ({ baseline: baseline!.map(pick), ours: own!.map(pick) });
  report.row("head-of-line", { what: "alone, p50", unit: "µs", ...middle(({ alone }) => alone.p50) });
  report.row("head-of-line", { what: "alone, p99", unit: "µs", ...middle(({ alone }) => alone.p99) });
  report.row("head-of-line", { what: "during bulk, p50", unit: "µs", ...middle(({ beside }) => beside.p50) });
  report.row("head-of-line", { what: "during bulk, p99", unit: "µs", ...middle(({ beside }) => beside.p99) });
  report.row("head-of-line", { what: "bulk", unit: "MB/s", ...middle(({ bulk }) => bulk * BULK_BYTES / 1e6) });
  const alone = median(own!.map((round) => round.alone.p99));
  const onTheWire = median(own!.map((round) => 1e6 / round.bulk));
  const limit = 2 * alone + onTheWire;
  report.row("head-of-line", {
    what: "ours during bulk, p99, against 2 × alone + one bulk message",
    unit: "µs",
    baseline: own!.map(() => limit),
    ours: own!.map(({ beside }) => beside.p99),
    target: { atMost: 1 },
  });
}

async function warmUp(contestant: () => Promise<unknown>): Promise<void> {
  const begin = performance.now();
  while (performance.now() - begin < WARM_UP_MS) await contestant();
}

interface Both {
  readonly alone: { readonly p50: number; readonly p99: number };
  readonly beside: { readonly p50: number; readonly p99: number };
  /** Messages in bulk per second. */
  readonly bulk: number;
}

async function measureBoth({ server, client }: Pair, count: number): Promise<Both> {
  await server.call("serveEcho", { handlers: 1 });
  await server.call("serveBulk", {});
  const alone = await client.call("runEcho", { count, payload: ECHO_BYTES, limitMs: ECHOES_MS });
  await client.call("startBulk", { size: BULK_BYTES });
  const startedAt = performance.now();
  const beside = await client.call("runEcho", { count, payload: ECHO_BYTES, limitMs: ECHOES_MS });
  const sent = await client.call("stopBulk", {});
  const bulk = 1000 * sent / (performance.now() - startedAt);
  return { alone, beside, bulk };
}
