// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ContestantName } from "./contestant.ts";
import type { FloodReport } from "./flood_child.ts";
import { Pair } from "./pair.ts";
import type { Row } from "./report.ts";
import { type Effort, interleave } from "./subject.ts";

const COUNT_PER_MS = 2_000;

/** Result of a round of a flood from one end to the other. */
export interface FloodRound {
  readonly received: FloodReport;
  /** Milliseconds of processor time that the sender took. */
  readonly sent: { readonly cpu: number };
}

/** A way to read rounds into a row. */
export type Picked = (value: (round: FloodRound) => number) => Pick<Row, "baseline" | "ours">;

/** Floods of small messages with something and without it, in turns. @returns Reads the rounds, and how many messages each had. */
export async function floodPairs(
  baseline: ContestantName,
  { rounds, roundMs }: Effort,
): Promise<[pick: Picked, count: number]> {
  await using without = await Pair.start(baseline);
  await using ours = await Pair.start("ours");
  const flood = { count: COUNT_PER_MS * roundMs, payload: 64 };
  const [before, own] = await interleave(
    rounds,
    [without, ours].map(({ server, client }) => async (): Promise<FloodRound> => {
      await server.call("expectFlood", flood);
      const sent = client.call("sendFlood", flood);
      const received = await server.call("receiveFlood", {});
      return { received, sent: await sent };
    }),
  );
  return [(value) => ({ baseline: before!.map(value), ours: own!.map(value) }), flood.count];
}
