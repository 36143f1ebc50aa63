// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Trust } from "./contestant.ts";
import { pairEcho, timedEcho } from "./echo.ts";
import { timedFlood } from "./flood.ts";
import { Pair } from "./pair.ts";
import { type Payload, payloadName } from "./payload.ts";
import type { Report, Target } from "./report.ts";
import { steadily } from "./steadily.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

/** Demands on one kind of trust, against none: of the echo, of small messages, and of large ones. */
interface Wanted {
  readonly echo?: Target;
  readonly small?: Target;
  readonly bulk?: Target;
}

const KINDS: ReadonlyMap<Trust, Wanted> = new Map([
  ["secret", { echo: { atMost: 1.7 }, small: { atLeast: 0.5 } }],
  ["tls", { echo: { atMost: 1.5 }, bulk: { atLeast: 0.35 } }],
]);
const SIZES: readonly Payload[] = [64, 64 * 1024, 512 * 1024];
const MEGABYTE = 1_000_000;

/** Cost of trust. */
export const trust: Subject = {
  name: "trust",
  title: "With trust, against a plain connection",
  baseline: "plain",
  async measure(effort, report) {
    for (const [kind, wanted] of KINDS) {
      await steadily(report, (once) => measureEcho(kind, wanted, effort, once));
      for (const size of SIZES) await steadily(report, (once) => measureFlood(kind, size, wanted, effort, once));
    }
  },
};

async function measureEcho(kind: Trust, { echo }: Wanted, effort: Effort, report: Report): Promise<void> {
  await using processes = new AsyncDisposableStack();
  const pairs = [await pairEcho(processes, "ours", 64), await pairEcho(processes, "ours", 64, { trust: kind })];
  const [plain, trusted] = await interleave(effort.rounds, pairs.map((pair) => timedEcho(pair, effort)));
  report.row("trust", {
    what: `${kind}: echo 64 B, p50`,
    unit: "µs",
    baseline: plain!.map(({ p50 }) => p50),
    ours: trusted!.map(({ p50 }) => p50),
    ...(echo && { target: echo }),
  });
}

async function measureFlood(
  kind: Trust,
  payload: Payload,
  { small, bulk }: Wanted,
  effort: Effort,
  report: Report,
): Promise<void> {
  await using plain = await Pair.start("ours");
  await using trusted = await Pair.start("ours", { trust: kind });
  const send = (pair: Pair) => timedFlood(pair, payload, effort, (flood) => pair.client.call("sendFlood", flood), true);
  const [baseline, ours] = await interleave(effort.rounds, [send(plain), send(trusted)]);
  const isBulk = (payload as number) >= 64 * 1024;
  const factor = isBulk ? (payload as number) / MEGABYTE : 1 / 1000;
  const target = isBulk ? bulk : small;
  report.row("trust", {
    what: `${kind}: one way ${payloadName(payload)}, borrowed`,
    unit: isBulk ? "MB/s" : "k msg/s",
    baseline: baseline!.map(({ received }) => received.rate * factor),
    ours: ours!.map(({ received }) => received.rate * factor),
    ...(target && { target }),
  });
}
