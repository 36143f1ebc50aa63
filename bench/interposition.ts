// Copyright 2026 the Partisan peer-service authors. MIT license.

import { floodPairs } from "./flood_pairs.ts";
import type { Subject } from "./subject.ts";

/** Cost of the possibility to register interposition functions, when none is registered. */
export const interposition: Subject = {
  name: "interposition",
  title: "One way, 64 B, no interposition function registered",
  baseline: "without the hook",
  async measure(effort, report) {
    const [pick, count] = await floodPairs("unhooked", effort);
    const perMessage = ({ cpu }: { readonly cpu: number }) => 1e6 * cpu / count;
    report.row("interposition", {
      what: "rate",
      unit: "k msg/s",
      ...pick(({ received }) => received.rate / 1000),
      target: { atLeast: 0.98 },
    });
    report.row("interposition", {
      what: "processor time a message, sender",
      unit: "ns",
      ...pick(({ sent }) => perMessage(sent)),
    });
    report.row("interposition", {
      what: "processor time a message, receiver",
      unit: "ns",
      ...pick(({ received }) => perMessage(received)),
    });
  },
};
