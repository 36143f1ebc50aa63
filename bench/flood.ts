// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Flood, FloodReport } from "./flood_child.ts";
import { Pair } from "./pair.ts";
import { type Payload, payloadName } from "./payload.ts";
import type { Report, Target } from "./report.ts";
import { median } from "./statistics.ts";
import { steadily } from "./steadily.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";
import type { Wellbeing } from "./wellbeing.ts";

/** Whether the handler borrows (see `HandlerOptions`), and what ratio is wanted. */
interface Variant {
  readonly borrow: boolean | "range";
  /** Whether the sender awaits `forwardMessage`, which writes large bytes from where they are; false, unless given. */
  readonly forward?: boolean;
  readonly target?: Target;
}

const PAYLOADS: readonly (readonly [payload: Payload, ...variants: readonly Variant[]])[] = [
  [64, { borrow: false, target: { atLeast: 0.6 } }, { borrow: true }, { borrow: "range", target: { atLeast: 1 } }],
  [1024, { borrow: false }, { borrow: true }],
  [64 * 1024, { borrow: false }, { borrow: true, target: { atLeast: 0.85 } }],
  [
    512 * 1024,
    { borrow: false, target: { atLeast: 0.85 } },
    { borrow: false, forward: true, target: { atLeast: 0.85 } },
    { borrow: true, target: { atLeast: 0.85 } },
    { borrow: true, forward: true, target: { atLeast: 0.85 } },
  ],
  ["event", { borrow: false, target: { atLeast: 1 } }],
];
const PROBE_BYTES = 16 * 1024 * 1024;
const PROBE_COUNT_MAX = 50_000;
const MEGABYTE = 1_000_000;
const WINDOW = 1000;

/** One way, as fast as it goes. */
export const flood: Subject = {
  name: "flood",
  title: "One way through castMessage to a handler that looks at every message, counted there",
  baseline: "raw socket",
  async measure(effort, report) {
    for (const [payload, ...variants] of PAYLOADS) {
      await steadily(report, (once) => measureFlood(payload, variants, effort, once));
    }
  },
};

/** One way, waiting for each message to be accepted, or for up to 1,000 to be acknowledged. */
export const guarantees: Subject = {
  name: "guarantees",
  title: "One way, 64 B, against castMessage",
  baseline: "castMessage",
  measure: (effort, report) => steadily(report, (once) => measureGuarantees(effort, once)),
};

async function measureGuarantees(effort: Effort, report: Report): Promise<void> {
  await using pair = await Pair.start("ours");
  await using raw = await Pair.start("acknowledged");
  const send = (command: "sendFlood" | "forwardFlood" | "acknowledgedFlood", by = pair) =>
    timedFlood(by, 64, effort, (flood) => by.client.call(command, { ...flood, window: WINDOW }));
  const [cast, forward, acknowledged, byHand] = await interleave(effort.rounds, [
    send("sendFlood"),
    send("forwardFlood"),
    send("acknowledgedFlood"),
    send("acknowledgedFlood", raw),
  ]);
  const rates = (floods: readonly MeasuredFlood[] | undefined) => floods!.map(({ received }) => received.rate / 1000);
  const row = { unit: "k msg/s", baseline: rates(cast) };
  report.row("guarantees", { ...row, what: "await forwardMessage", ours: rates(forward), target: { atLeast: 0.6 } });
  const what = `ack: true, window ${WINDOW}`;
  report.row("guarantees", { ...row, what, ours: rates(acknowledged), target: { atLeast: 0.5 } });
  const least = `raw socket with acknowledgements, window ${WINDOW}`;
  report.row("guarantees", { ...row, what: least, ours: rates(byHand) });
  describe("guarantees", "castMessage", cast!, report);
  describe("guarantees", "await forwardMessage", forward!, report);
  describe("guarantees", what, acknowledged!, report);
  describe("guarantees", least, byHand!, report);
}

interface MeasuredFlood {
  readonly count: number;
  readonly sent: Wellbeing;
  readonly received: FloodReport;
}

async function measureFlood(
  payload: Payload,
  variants: readonly Variant[],
  effort: Effort,
  report: Report,
): Promise<void> {
  await using raw = await Pair.start(payload === "event" ? "lines" : "raw");
  await using ours = await Pair.start("ours");
  const send = (pair: Pair, { borrow, forward = false }: Variant) => {
    const command = forward ? "forwardFlood" : "sendFlood";
    return timedFlood(pair, payload, effort, (flood) => pair.client.call(command, flood), borrow);
  };
  const [baseline, ...own] = await interleave(effort.rounds, [
    send(raw, { borrow: true }),
    ...variants.map((variant) => send(ours, variant)),
  ]);
  const inMegabytes = payload !== "event" && payload >= 64 * 1024;
  const factor = inMegabytes ? (payload as number) / MEGABYTE : 1 / 1000;
  const rates = (floods: readonly MeasuredFlood[]) => floods.map(({ received }) => received.rate * factor);
  describe("flood", `${payloadName(payload)}, raw`, baseline!, report);
  addPoint(report, "raw socket", payload, baseline!);
  for (const [index, { borrow, forward, target }] of variants.entries()) {
    const floods = own[index]!;
    const kinds = { true: ", borrowed", false: "", range: ", as a range" };
    const what = `${payloadName(payload)}${kinds[`${borrow}`]}${forward ? ", await forwardMessage" : ""}`;
    report.row("flood", {
      what,
      unit: inMegabytes ? "MB/s" : "k msg/s",
      baseline: rates(baseline!),
      ours: rates(floods),
      ...(target && { target }),
    });
    describe("flood", `${what}, ours`, floods, report);
    if (borrow !== "range" && !forward) {
      addPoint(report, borrow ? "peer-service, borrowed" : "peer-service", payload, floods);
    }
  }
}

/** Makes each round take about as long. */
export function timedFlood(
  pair: Pair,
  payload: Payload,
  { roundMs }: Effort,
  send: (flood: Flood) => Promise<Wellbeing>,
  borrow: boolean | "range" = false,
): () => Promise<MeasuredFlood> {
  let count = payload === "event" ? PROBE_COUNT_MAX : Math.min(PROBE_COUNT_MAX, Math.ceil(PROBE_BYTES / payload));
  return async () => {
    const flood = { count, payload, borrow };
    await pair.server.call("expectFlood", flood);
    const sending = send(flood);
    const received = await pair.server.call("receiveFlood", {});
    count = Math.max(50, Math.ceil(received.rate * roundMs / 1000));
    return { count: flood.count, sent: await sending, received };
  };
}

function describe(subject: string, what: string, floods: readonly MeasuredFlood[], report: Report): void {
  const middle = (pick: (flood: MeasuredFlood) => number) => median(floods.map(pick));
  const memory = (pick: (flood: MeasuredFlood) => number) =>
    `${pick(floods[0]!).toFixed(0)} → ${pick(floods.at(-1)!).toFixed(0)} MB`;
  const side = (pick: (flood: MeasuredFlood) => Wellbeing) =>
    [
      `${middle((flood) => 1000 * pick(flood).cpu / flood.count).toFixed(2)} µs of processor time a message`,
      `timers late p99 ${middle((flood) => pick(flood).lateness.p99).toFixed(1)} ms`,
      `memory ${memory((flood) => pick(flood).memory)}`,
    ].join(", ");
  report.remark(subject, `${what}, sender: ${side(({ sent }) => sent)}`);
  report.remark(subject, `${what}, receiver: ${side(({ received }) => received)}`);
}

function addPoint(report: Report, name: string, size: Payload, floods: readonly MeasuredFlood[]): void {
  if (size === "event") return;
  const rate = median(floods.map(({ received }) => received.rate));
  const points = report.throughput.get(name) ?? [];
  report.throughput.set(name, [...points, [size, rate * size / MEGABYTE]]);
}
