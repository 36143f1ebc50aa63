// Copyright 2026 the Partisan peer-service authors. MIT license.

import { BenchProcess } from "./bench_process.ts";
import type { LongWay } from "./cable.ts";
import { svgOf } from "./overlay_plots.ts";
import { Pair } from "./pair.ts";
import { payloadName } from "./payload.ts";
import type { Report } from "./report.ts";
import { median } from "./statistics.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
const ROUND_TRIPS_MS = [1, 20];
const RATE = 400 * MEBIBYTE;
const WINDOW = 4 * MEBIBYTE;
const CONNECTIONS = 4;
/** Number of actors, and the payload that each of them has under way. */
const LOADS: readonly (readonly [actors: number, payload: number])[] = [
  [1, 512 * KIBIBYTE],
  [16, 512 * KIBIBYTE],
  [128, 512 * KIBIBYTE],
  [16, 8 * MEBIBYTE],
];
const LOADS_QUICK = LOADS.slice(1, 2);
const ACTORS = [...new Set(LOADS.map(([actors]) => actors))];

/**
 * The experiment of Meiklejohn and others, "Partisan: Scaling the Distributed Actor Runtime" (USENIX ATC 2019), figures 3 to 6: actors that echo
 * large messages over a long way. Each case is put next to one raw socket over the same way.
 */
export const link: Subject = {
  name: "link",
  title: "Actors that echo over a long way, and one raw socket over the same way",
  baseline: "one raw socket",
  async measure(effort, report) {
    for (const roundTrip of ROUND_TRIPS_MS) {
      const way = { roundTrip, rate: RATE, window: WINDOW };
      const loads = (effort.quick ? LOADS_QUICK : LOADS).filter((load) =>
        nameOf(way, ...load).includes(effort.only ?? "")
      );
      if (loads.length === 0) continue;
      report.remark("link", await checkRelay(way));
      const lines: Lines = new Map();
      for (const [actors, payload] of loads) await measureWay(way, actors, payload, effort, report, lines);
      if (loads.length > 1) report.plots.set(`long_way_${roundTrip}.svg`, plotOf(way, lines));
    }
  },
};

/** Actors and payload bytes per second and direction, by the name of a link: those with 512 KiB. */
type Lines = Map<string, [actors: number, rate: number][]>;

function nameOf({ roundTrip }: LongWay, actors: number, payload: number): string {
  return `${roundTrip} ms, ${actors} × ${payloadName(payload)}`;
}

function plotOf({ roundTrip, rate }: LongWay, lines: Lines): string {
  return svgOf({
    title: `Actors that echo 512 KiB over ${roundTrip} ms: bytes in each direction`,
    x: "actors",
    y: "MiB/s",
    xTicks: ACTORS,
    yTicks: [0, 100, 200, 300, rate / MEBIBYTE],
    isLogarithmic: { x: true },
    lines: [...lines].map(([name, points]) => ({ name, points })),
  });
}

async function measureWay(
  way: LongWay,
  actors: number,
  payload: number,
  effort: Effort,
  report: Report,
  lines: Lines,
): Promise<void> {
  const point = (name: string, rounds: readonly number[]) => {
    if (payload !== 512 * KIBIBYTE) return;
    lines.set(name, [...lines.get(name) ?? [], [actors, median(rounds) * payload / MEBIBYTE]]);
  };
  const links = [
    ["one connection", { parallelism: 1 }],
    [`parallelism ${CONNECTIONS}`, { parallelism: CONNECTIONS }],
    [`${CONNECTIONS} channels`, { parallelism: CONNECTIONS, channels: true }],
  ] as const;
  await using stack = new AsyncDisposableStack();
  const start = async (pair: Promise<Pair>) => {
    const started = stack.use(await pair);
    await started.server.call("serveEcho", { handlers: actors });
    return started;
  };
  const raw = await start(Pair.start("raw", {}, way));
  for (const [name, link] of links) {
    const ours = await start(Pair.start("ours", link, way));
    const count = 4 * actors;
    const [baseline, own] = await interleave(
      Math.min(effort.rounds, 5),
      [raw, ours].map(({ client }) => () => client.call("runPairs", { pairs: actors, count, payload })),
    );
    if (name === links[0][0]) point("one raw socket", baseline!);
    point(name, own!);
    report.row("link", {
      what: `${nameOf(way, actors, payload)}, ${name}`,
      unit: "ops/s",
      baseline: baseline!,
      ours: own!,
    });
  }
}

/** Measures what a relay does to one plain socket. @returns It, next to what it was asked for. */
async function checkRelay(way: LongWay): Promise<string> {
  using sink = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using relay = new BenchProcess();
  const { port } = sink.addr as Deno.NetAddr;
  const fronts = await relay.call("openRelay", { way, near: { port }, far: { port } });
  using near = await Deno.connect({ hostname: "127.0.0.1", port: fronts.far });
  using far = await sink.accept();
  near.setNoDelay(true);
  far.setNoDelay(true);
  const roundTrip = await roundTripOver(near, far);
  const rate = await rateOver(near, far);
  const wanted = Math.min(way.rate, way.window / way.roundTrip * 1000);
  return [
    `the relay: asked for a round trip of ${way.roundTrip} ms, measured ${roundTrip.toFixed(2)} ms`,
    `one socket may move ${megabytes(wanted)} MiB/s (${megabytes(way.rate)} for all, window ${
      megabytes(way.window)
    } MiB)`,
    `measured ${megabytes(rate)} MiB/s`,
  ].join("; ");
}

async function roundTripOver(near: Deno.TcpConn, far: Deno.TcpConn): Promise<number> {
  const byte = new Uint8Array(1);
  const times: number[] = [];
  for (let count = 0; count < 50; count++) {
    const sentAt = performance.now();
    await near.write(byte);
    await far.read(byte);
    await far.write(byte);
    await near.read(byte);
    times.push(performance.now() - sentAt);
  }
  return median(times);
}

async function rateOver(near: Deno.TcpConn, far: Deno.TcpConn): Promise<number> {
  const bytes = 256 * MEBIBYTE;
  const send = async () => {
    const chunk = new Uint8Array(MEBIBYTE);
    for (let sent = 0; sent < bytes;) sent += await near.write(chunk.subarray(0, bytes - sent));
  };
  const startedAt = performance.now();
  const sending = send();
  const buffer = new Uint8Array(MEBIBYTE);
  for (let got = 0; got < bytes;) got += await far.read(buffer) ?? bytes;
  await sending;
  return bytes / (performance.now() - startedAt) * 1000;
}

function megabytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(0);
}
