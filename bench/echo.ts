// Copyright 2026 the Partisan peer-service authors. MIT license.

import { BenchProcess } from "./bench_process.ts";
import type { Link, Processors } from "./contestant.ts";
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
/**
 * Processors on which the processes run: they decide more than all that the processes do. On different processors an echo of 64 B is two wake-ups of a processor that has
 * nothing to do, five times as long as on the same one; the kernel chooses, and changes its mind between two rounds.
 */
const APART: Processors = { server: 0, client: 1 };
/** Here it is the work of both that counts. */
const TOGETHER: Processors = { server: 0, client: 0 };

/** Round trips, one message under way. */
export const echo: Subject = {
  name: "echo",
  title: "Echo round trip, one outstanding",
  baseline: "raw loop",
  async measure(effort, report) {
    for (const payload of PAYLOADS) await steadily(report, (once) => measureEcho(payload, APART, effort, once));
    await steadily(report, (once) => measureEcho(512 * 1024, APART, effort, once, true));
    await steadily(report, (once) => measureEcho(64, TOGETHER, effort, once));
  },
};

/** Runs so many echoes. */
type Echo = (count: number) => Promise<EchoReport>;

async function measureEcho(
  payload: Payload,
  processors: Processors,
  effort: Effort,
  report: Report,
  borrow = false,
): Promise<void> {
  await using processes = new AsyncDisposableStack();
  const plain = payload === "event"
    ? await pairEcho(processes, "lines", payload, { processors })
    : await plainEcho(processes, processors, (messageOf(payload) as Uint8Array).length);
  const ours = await pairEcho(processes, "ours", payload, { processors }, borrow);
  const [baseline, own] = await interleave(effort.rounds, [plain, ours].map((echo) => timedEcho(echo, effort)));
  const where = processors === APART ? "" : ", on one processor";
  const name = `${payloadName(payload)}${borrow ? ", borrowed" : ""}${where}`;
  const pick = (reports: readonly EchoReport[] | undefined, key: "p50" | "p99") => reports!.map((each) => each[key]);
  report.row("echo", {
    what: `${name}, p50`,
    unit: "µs",
    baseline: pick(baseline, "p50"),
    ours: pick(own, "p50"),
    ...(payload === 64 && processors === APART && { target: { atMost: 1.15 } }),
  });
  report.row("echo", { what: `${name}, p99`, unit: "µs", baseline: pick(baseline, "p99"), ours: pick(own, "p99") });
  if (payload === 64 && processors === APART) {
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
  borrow = false,
): Promise<Echo> {
  const { server, client } = processes.use(await Pair.start(contestant, { processors: APART, ...link }));
  await server.call("serveEcho", { handlers: 1, borrow });
  return (count) => client.call("runEcho", { count, payload, borrow });
}

async function plainEcho(processes: AsyncDisposableStack, processors: Processors, size: number): Promise<Echo> {
  const server = processes.use(new BenchProcess(processors.server));
  const client = processes.use(new BenchProcess(processors.client));
  await client.call("connectPlainEcho", await server.call("servePlainEcho", { size }));
  return (count) => client.call("runPlainEcho", { count, size });
}

/** Median of each quantile over the rounds. */
function distribution(rounds: readonly EchoReport[]): [x: number, y: number][] {
  return rounds[0]!.quantiles.map((_, index) => [index, median(rounds.map((round) => round.quantiles[index]!))]);
}
