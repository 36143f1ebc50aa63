// Copyright 2026 the Partisan peer-service authors. MIT license.

import { BenchProcess } from "./bench_process.ts";
import type { Link } from "./contestant.ts";
import type { EchoReport } from "./echo_report.ts";
import { Pair } from "./pair.ts";
import { messageOf, type Payload, payloadName } from "./payload.ts";
import type { Report } from "./report.ts";
import { median } from "./statistics.ts";
import { steadily } from "./steadily.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const PAYLOADS: readonly Payload[] = [64, 1024, 64 * 1024, 512 * 1024, "event"];
const PROBE_COUNT = 100;
const COUNT_MAX = 20_000;

/** Round trips, one message under way. */
export const echo: Subject = {
  name: "echo",
  title: "Echo round trip, one outstanding",
  baseline: "raw loop",
  async measure(effort, report) {
    for (const payload of PAYLOADS) await steadily(report, (once) => measureEcho(payload, effort, once));
  },
};

/** Runs so many echoes. */
type Echo = (count: number) => Promise<EchoReport>;

async function measureEcho(payload: Payload, effort: Effort, report: Report): Promise<void> {
  await using processes = new AsyncDisposableStack();
  const plain = payload === "event"
    ? await pairEcho(processes, "lines", payload)
    : await plainEcho(processes, (messageOf(payload) as Uint8Array).length);
  const ours = await pairEcho(processes, "ours", payload);
  const [baseline, own] = await interleave(effort.rounds, [plain, ours].map((echo) => timedEcho(echo, effort)));
  const name = payloadName(payload);
  const pick = (reports: readonly EchoReport[] | undefined, key: "p50" | "p99") => reports!.map((each) => each[key]);
  report.row("echo", {
    what: `${name}, p50`,
    unit: "µs",
    baseline: pick(baseline, "p50"),
    ours: pick(own, "p50"),
    ...(payload === 64 && { target: { atMost: 1.15 } }),
  });
  report.row("echo", { what: `${name}, p99`, unit: "µs", baseline: pick(baseline, "p99"), ours: pick(own, "p99") });
  if (payload === 64) {
    report.roundTrips.push({ name: "raw loop", points: distribution(baseline!) });
    report.roundTrips.push({ name: "peer-service", points: distribution(own!) });
  }
}

/** Makes each round take about as long. */
export function timedEcho(echo: Echo, { roundMs }: Effort): () => Promise<EchoReport> {
  let count = PROBE_COUNT;
  return async () => {
    const report = await echo(count);
    count = Math.min(COUNT_MAX, Math.max(PROBE_COUNT, Math.round(1000 * roundMs / report.p50)));
    return report;
  };
}

export async function pairEcho(
  processes: AsyncDisposableStack,
  contestant: "lines" | "ours",
  payload: Payload,
  link: Link = {},
): Promise<Echo> {
  const { server, client } = processes.use(await Pair.start(contestant, link));
  await server.call("serveEcho", { handlers: 1 });
  return (count) => client.call("runEcho", { count, payload });
}

async function plainEcho(processes: AsyncDisposableStack, size: number): Promise<Echo> {
  const server = processes.use(new BenchProcess());
  const client = processes.use(new BenchProcess());
  await client.call("connectPlainEcho", await server.call("servePlainEcho", { size }));
  return (count) => client.call("runPlainEcho", { count, size });
}

/** Median of each quantile over the rounds. */
function distribution(rounds: readonly EchoReport[]): [x: number, y: number][] {
  return rounds[0]!.quantiles.map((_, index) => [index, median(rounds.map((round) => round.quantiles[index]!))]);
}
