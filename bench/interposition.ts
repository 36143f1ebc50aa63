// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { FloodReport } from "./flood_child.ts";
import { Pair } from "./pair.ts";
import { interleave, type Subject } from "./subject.ts";

const COUNT_PER_MS = 2_000;

/** What it costs that interposition functions could be registered, when none is. */
export const interposition: Subject = {
  name: "interposition",
  title: "One way, 64 B, no interposition function registered",
  baseline: "without the hook",
  async measure({ rounds, roundMs }, report) {
    await using unhooked = await Pair.start("unhooked");
    await using ours = await Pair.start("ours");
    const flood = { count: COUNT_PER_MS * roundMs, payload: 64 };
    const [baseline, own] = await interleave(
      rounds,
      [unhooked, ours].map(({ server, client }) => async () => {
        await server.call("expectFlood", flood);
        const sent = client.call("sendFlood", flood);
        const received = await server.call("receiveFlood", {});
        return { received, sent: await sent };
      }),
    );
    type Round = { readonly received: FloodReport; readonly sent: { readonly cpu: number } };
    const pick = (value: (round: Round) => number) => ({ baseline: baseline!.map(value), ours: own!.map(value) });
    const perMessage = ({ cpu }: { readonly cpu: number }) => 1e6 * cpu / flood.count;
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
