// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { EchoReport } from "./echo_report.ts";
import { timedFlood } from "./flood.ts";
import { Pair } from "./pair.ts";
import type { Report } from "./report.ts";
import { median } from "./statistics.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const CHUNK_BYTES = 64 * 1024;
const LARGE_CHUNK_BYTES = 1024 * 1024;
/** The largest chunk that a stream may be cut into, which may be ahead of an echo, however fast the network. */
const CHUNK_BYTES_MAX = 256 * 1024;
/** Rounds of echoes until both contestants are compiled: that takes a processor meanwhile, which an echo waits for. */
const WARM_UP_ROUNDS = 8;
const ECHO_BYTES = 64;
const ECHOES_PER_MS = 2;
const MEGABYTE = 1_000_000;

/** Throughput of a stream, and the delay of messages of its channel next to it. */
export const stream: Subject = {
  name: "stream",
  title: "One stream, read chunk by chunk, and echo of 64 B over the same connection",
  baseline: "raw socket, 64 KiB frames",
  async measure(effort, report) {
    await using raw = await Pair.start("raw");
    await using ours = await Pair.start("ours");
    const flood = timedFlood(raw, CHUNK_BYTES, effort, (flood) => raw.client.call("sendFlood", flood), true);
    const frames = async () => (await flood()).received.rate * CHUNK_BYTES;
    // What fresh memory leaves to collect would be collected while others are measured: that comes by itself.
    const [raw64, streams, large] = await interleave(effort.rounds, [
      frames,
      timedStream(ours, CHUNK_BYTES, true, effort),
      timedStream(ours, LARGE_CHUNK_BYTES, true, effort),
    ]);
    const [rawAgain, fresh] = await interleave(effort.rounds, [frames, timedStream(ours, CHUNK_BYTES, false, effort)]);
    const megabytes = (rates: readonly number[] | undefined) => rates!.map((rate) => rate / MEGABYTE);
    const row = { unit: "MB/s", baseline: megabytes(raw64) };
    const target = { atLeast: 0.8 };
    report.row("stream", { ...row, what: "written in 64 KiB", ours: megabytes(streams), target });
    report.row("stream", { ...row, what: "written in 1 MiB", ours: megabytes(large), target });
    const again = { unit: "MB/s", baseline: megabytes(rawAgain), ours: megabytes(fresh) };
    report.row("stream", { ...again, what: "written in 64 KiB, fresh memory for each chunk" });
    await measureEchoes(raw, ours, effort, report);
  },
};

/** An echo during a stream, against what is wanted, and against the same over a raw socket. */
async function measureEchoes(raw: Pair, ours: Pair, effort: Effort, report: Report): Promise<void> {
  const count = Math.ceil(effort.roundMs * ECHOES_PER_MS);
  const both = (into: boolean, rounds = effort.rounds) =>
    interleave(rounds, [() => echoBeside(ours, count, into), () => echoBesideRaw(raw, count, into)]);
  await both(true, WARM_UP_ROUNDS);
  const [into, rawInto] = await both(true);
  const [fresh, rawFresh] = await both(false);
  const p99 = (rounds: readonly Beside[]) => rounds.map(({ beside }) => beside.p99);
  const limits = (rounds: readonly Beside[]) => {
    const limit = 2 * median(rounds.map(({ alone }) => alone.p99)) +
      median(rounds.map(({ rate }) => 1e6 * CHUNK_BYTES_MAX / rate));
    return rounds.map(() => limit);
  };
  const row = { unit: "µs", ours: p99(into!) };
  const what = "echo meanwhile, p99, against";
  report.row("stream", {
    ...row,
    what: `${what} 2 × alone + 256 KiB`,
    baseline: limits(into!),
    target: { atMost: 1 },
  });
  report.row("stream", { ...row, what: `${what} the raw socket's`, baseline: p99(rawInto!) });
  report.row("stream", {
    unit: "µs",
    what: `${what} the raw socket's, fresh memory`,
    ours: p99(fresh!),
    baseline: p99(rawFresh!),
  });
  const shares = median(rawInto!.map((round, index) => round.beside.p99 / limits(rawInto!)[index]!));
  const alone = (rounds: readonly Beside[]) => median(rounds.map(({ alone }) => alone.p99)).toFixed(0);
  report.remark("stream", `Echo alone, p99: ${alone(into!)} µs; over the raw socket ${alone(rawInto!)} µs`);
  report.remark(
    "stream",
    `The raw socket's p99 during its own stream is ${shares.toFixed(2)} of the limit made of its own figures`,
  );
}

interface Beside {
  readonly alone: EchoReport;
  readonly beside: EchoReport;
  /** Bytes per second of the stream meanwhile. */
  readonly rate: number;
}

/** Makes each round take about as long. */
function timedStream(
  { server, client }: Pair,
  size: number,
  into: boolean,
  { roundMs }: Effort,
): () => Promise<number> {
  let count = 200;
  return async () => {
    await server.call("serveStream", { into });
    const rate = await client.call("sendStream", { count, size });
    count = Math.max(50, Math.ceil(rate * roundMs / 1_000 / size));
    return rate;
  };
}

async function echoBeside({ server, client }: Pair, count: number, into: boolean): Promise<Beside> {
  await server.call("serveStream", { into });
  return beside({ server, client }, count, {
    start: () => client.call("startStream", { size: CHUNK_BYTES }),
    stop: () => client.call("stopStream", {}),
  });
}

async function echoBesideRaw({ server, client }: Pair, count: number, into: boolean): Promise<Beside> {
  await server.call("serveRawStream", { keep: !into });
  return beside({ server, client }, count, {
    start: () => client.call("startRawStream", { size: CHUNK_BYTES }),
    stop: () => client.call("stopRawStream", {}),
  });
}

async function beside(
  { server, client }: Pick<Pair, "server" | "client">,
  count: number,
  stream: { start(): Promise<void>; stop(): Promise<number> },
): Promise<Beside> {
  await server.call("serveEcho", { handlers: 1 });
  const alone = await client.call("runEcho", { count, payload: ECHO_BYTES });
  await stream.start();
  const startedAt = performance.now();
  const beside = await client.call("runEcho", { count, payload: ECHO_BYTES });
  const ms = performance.now() - startedAt;
  const chunks = await stream.stop();
  return { alone, beside, rate: 1_000 * chunks * CHUNK_BYTES / ms };
}
