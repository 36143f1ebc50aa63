// Copyright 2026 the Partisan peer-service authors. MIT license.

import { floodPairs } from "./flood_pairs.ts";
import type { Subject } from "./subject.ts";

/** Cost of measuring everything all the time. */
export const metrics: Subject = {
  name: "metrics",
  title: "One way, 64 B, everything of `docs/metrics.md` recorded",
  baseline: "without times and histograms",
  async measure(effort, report) {
    const [pick, count] = await floodPairs("unmeasured", effort);
    report.row("metrics", {
      what: "rate",
      unit: "k msg/s",
      ...pick(({ received }) => received.rate / 1_000),
      target: { atLeast: 0.98 },
    });
    report.row("metrics", {
      what: "processor time a message, sender",
      unit: "ns",
      ...pick(({ sent }) => 1e6 * sent.cpu / count),
    });
  },
};
