// Copyright 2026 the Partisan peer-service authors. MIT license.

import { timedFlood } from "./flood.ts";
import { Pair } from "./pair.ts";
import { median } from "./statistics.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const CHUNK_BYTES = 64 * 1024;
const LARGE_CHUNK_BYTES = 1024 * 1024;
/** No window is smaller as long as there are few streams: what may be ahead of an echo, however fast the network. */
const WINDOW_BYTES = 256 * 1024;
const ECHO_BYTES = 64;
const ECHOES_PER_MS = 2;
const MEGABYTE = 1_000_000;

/** How fast bytes go through a stream, and whether it holds up messages of its channel. */
export const stream: Subject = {
  name: "stream",
  title: "One stream, read chunk by chunk, and echo of 64 B over the same connection",
  baseline: "raw socket, 64 KiB frames",
  async measure(effort, report) {
    await using raw = await Pair.start("raw");
    await using ours = await Pair.start("ours");
    await ours.server.call("serveStream", {});
    const flood = timedFlood(raw, CHUNK_BYTES, effort, (flood) => raw.client.call("sendFlood", flood), true);
    const [frames, streams, large] = await interleave(effort.rounds, [
      async () => (await flood()).received.rate * CHUNK_BYTES,
      timedStream(ours, CHUNK_BYTES, effort),
      timedStream(ours, LARGE_CHUNK_BYTES, effort),
    ]);
    const row = { unit: "MB/s", baseline: frames!.map((rate) => rate / MEGABYTE), target: { atLeast: 0.8 } };
    report.row("stream", { ...row, what: "written in 64 KiB", ours: streams!.map((rate) => rate / MEGABYTE) });
    report.row("stream", { ...row, what: "written in 1 MiB", ours: large!.map((rate) => rate / MEGABYTE) });

    const [rounds] = await interleave(effort.rounds, [
      () => echoBeside(ours, Math.ceil(effort.roundMs * ECHOES_PER_MS)),
    ]);
    const limit = 2 * median(rounds!.map(({ alone }) => alone.p99)) +
      median(rounds!.map(({ rate }) => 1e6 * WINDOW_BYTES / rate));
    report.row("stream", {
      what: "echo beside it, p99, against 2 × alone + 256 KiB",
      unit: "µs",
      baseline: rounds!.map(() => limit),
      ours: rounds!.map(({ beside }) => beside.p99),
      target: { atMost: 1 },
    });
    report.remark("stream", `Echo alone, p99: ${median(rounds!.map(({ alone }) => alone.p99)).toFixed(0)} µs`);
  },
};

/** Makes each round take about as long. */
function timedStream({ client }: Pair, size: number, { roundMs }: Effort): () => Promise<number> {
  let count = 200;
  return async () => {
    const rate = await client.call("sendStream", { count, size });
    count = Math.max(50, Math.ceil(rate * roundMs / 1_000 / size));
    return rate;
  };
}

async function echoBeside({ server, client }: Pair, count: number) {
  await server.call("serveEcho", { handlers: 1 });
  const alone = await client.call("runEcho", { count, payload: ECHO_BYTES });
  await client.call("startStream", { size: CHUNK_BYTES });
  const startedAt = performance.now();
  const beside = await client.call("runEcho", { count, payload: ECHO_BYTES });
  const chunks = await client.call("stopStream", {});
  const rate = 1_000 * chunks * CHUNK_BYTES / (performance.now() - startedAt);
  return { alone, beside, rate };
}
