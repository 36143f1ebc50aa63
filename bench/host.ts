// Copyright 2026 the Partisan peer-service authors. MIT license.

import { pairEcho, timedEcho } from "./echo.ts";
import { timedFlood } from "./flood.ts";
import { Pair } from "./pair.ts";
import type { Report } from "./report.ts";
import { steadily } from "./steadily.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const BULK_BYTES = 512 * 1024;

/** Gain of a Unix socket where both nodes are on one host. */
export const host: Subject = {
  name: "host",
  title: "Over a Unix socket, against TCP",
  baseline: "TCP",
  async measure(effort, report) {
    const directory = await Deno.makeTempDir();
    try {
      await steadily(report, (once) => measureEcho(directory, effort, once));
      await steadily(report, (once) => measureBulk(directory, "sendFlood", effort, once));
      await steadily(report, (once) => measureBulk(directory, "forwardFlood", effort, once));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
};

async function measureEcho(directory: string, effort: Effort, report: Report): Promise<void> {
  await using processes = new AsyncDisposableStack();
  const pairs = [await pairEcho(processes, "ours", 64), await pairEcho(processes, "ours", 64, { directory })];
  const [tcp, unix] = await interleave(effort.rounds, pairs.map((pair) => timedEcho(pair, effort)));
  const row = { what: "echo 64 B, p50", unit: "µs", target: { atMost: 0.8 } };
  report.row("host", { ...row, baseline: tcp!.map(({ p50 }) => p50), ours: unix!.map(({ p50 }) => p50) });
}

async function measureBulk(
  directory: string,
  how: "sendFlood" | "forwardFlood",
  effort: Effort,
  report: Report,
): Promise<void> {
  await using overTcp = await Pair.start("ours");
  await using overUnix = await Pair.start("ours", { directory });
  const send = (pair: Pair) => timedFlood(pair, BULK_BYTES, effort, (flood) => pair.client.call(how, flood), true);
  const [tcp, unix] = await interleave(effort.rounds, [send(overTcp), send(overUnix)]);
  const rates = (floods: typeof tcp) => floods!.map(({ received }) => received.rate * BULK_BYTES / 1_000_000);
  const waiting = how === "sendFlood" ? "" : ", await forwardMessage";
  const row = { what: `one way 512 KiB, borrowed${waiting}`, unit: "MB/s", target: { atLeast: 1.3 } };
  report.row("host", { ...row, baseline: rates(tcp), ours: rates(unix) });
}
