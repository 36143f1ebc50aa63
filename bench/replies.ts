// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Pair } from "./pair.ts";
import { steadily } from "./steadily.ts";
import { type Effort, interleave, type Subject } from "./subject.ts";

const REPLY_BYTES = 512 * 1024;
const MEGABYTE = 1_000_000;

/** Saving by a buffer of the caller for the bytes of a reply. */
export const replies: Subject = {
  name: "replies",
  title: "Replies of 512 KiB to calls, put where their caller wants them",
  baseline: "each in memory of its own",
  measure: (effort, report) =>
    steadily(report, async (once) => {
      await using pair = await Pair.start("ours");
      await pair.server.call("serveReplies", { size: REPLY_BYTES });
      for (const width of [1, 8]) {
        const [plain, into] = await interleave(effort.rounds, [
          timedReplies(pair, width, false, effort),
          timedReplies(pair, width, true, effort),
        ]);
        const middle = (pick: (round: Replies) => number) => ({ baseline: plain!.map(pick), ours: into!.map(pick) });
        const calls = width === 1 ? "one call" : `${width} calls`;
        once.row("replies", {
          what: `${calls} at a time`,
          unit: "MB/s",
          ...middle(({ rate }) => rate / MEGABYTE),
          target: { atLeast: 1.2 },
        });
        once.row("replies", {
          what: `${calls}, processor time of the caller`,
          unit: "ms/GB",
          ...middle(({ cpu }) => cpu),
        });
      }
    }),
};

interface Replies {
  /** Bytes a second. */
  readonly rate: number;
  /** Milliseconds of processor time for a GB. */
  readonly cpu: number;
}

/** Makes each round take about as long. */
function timedReplies({ client }: Pair, width: number, into: boolean, { roundMs }: Effort): () => Promise<Replies> {
  let count = 50;
  return async () => {
    const round = await client.call("runReplies", { count, size: REPLY_BYTES, width, into });
    count = Math.max(50, Math.ceil(round.rate * roundMs / 1_000 / REPLY_BYTES));
    return round;
  };
}
