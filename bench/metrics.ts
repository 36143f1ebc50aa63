// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { FloodReport } from "./flood_child.ts";
import { Pair } from "./pair.ts";
import { interleave, type Subject } from "./subject.ts";

const COUNT_PER_MS = 2_000;

/** What it costs that everything is measured all the time. */
export const metrics: Subject = {
  name: "metrics",
  title: "One way, 64 B, everything of `docs/metrics.md` recorded",
  baseline: "without times and histograms",
  async measure({ rounds, roundMs }, report) {
    await using unmeasured = await Pair.start("unmeasured");
    await using ours = await Pair.start("ours");
    const flood = { count: COUNT_PER_MS * roundMs, payload: 64 };
    const [baseline, own] = await interleave(
      rounds,
      [unmeasured, ours].map(({ server, client }) => async () => {
        await server.call("expectFlood", flood);
        const sent = client.call("sendFlood", flood);
        const received: FloodReport = await server.call("receiveFlood", {});
        return { rate: received.rate, ...await sent };
      }),
    );
    report.row("metrics", {
      what: "rate",
      unit: "k msg/s",
      baseline: baseline!.map(({ rate }) => rate / 1_000),
      ours: own!.map(({ rate }) => rate / 1_000),
      target: { atLeast: 0.98 },
    });
    report.row("metrics", {
      what: "processor time a message, sender",
      unit: "ns",
      baseline: baseline!.map(({ cpu }) => 1e6 * cpu / flood.count),
      ours: own!.map(({ cpu }) => 1e6 * cpu / flood.count),
      target: { atMost: 1.02 },
    });
  },
};
