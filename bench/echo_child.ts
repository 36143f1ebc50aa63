// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type EchoReport, echoReport } from "./echo_report.ts";
import { messageOf, type Payload } from "./payload.ts";
import type { Stage } from "./stage.ts";

/** Whether the handlers of an echo are done with the bytes of a message when they return, as those of the raw socket have to be; false, unless given. */
interface Borrowing {
  readonly borrow?: boolean;
}

/** Sends back whatever comes to the first `handlers` handlers. */
export function serveEcho({ end }: Stage, { handlers, borrow }: { handlers: number } & Borrowing): void {
  for (let index = 0; index < handlers; index++) {
    end.on(index, (message) => void end.send(index, end.keep(message)), borrow);
  }
}

/** Sends a message back and forth: `count` times, or less often where that takes longer than `limitMs`. */
export async function runEcho(
  { end }: Stage,
  { count, payload, borrow, limitMs = Infinity }: { count: number; payload: Payload; limitMs?: number } & Borrowing,
): Promise<EchoReport> {
  const message = messageOf(payload);
  const times = new Float64Array(count);
  const { promise, resolve } = Promise.withResolvers<void>();
  let seen = 0;
  let sentAt = performance.now();
  const until = sentAt + limitMs;
  end.on(0, () => {
    const now = performance.now();
    times[seen++] = 1000 * (now - sentAt);
    if (seen === count || now > until) return resolve();
    sentAt = performance.now();
    end.send(0, message);
  }, borrow);
  end.send(0, message);
  await promise;
  return echoReport(times.subarray(0, seen));
}

/** Keeps one message of each of `pairs` echoing pairs under way. @returns Echoes per second. */
export async function runPairs(
  { end }: Stage,
  { pairs, count, payload, borrow }: { pairs: number; count: number; payload: Payload } & Borrowing,
): Promise<number> {
  const message = messageOf(payload);
  const { promise, resolve } = Promise.withResolvers<void>();
  let toSend = count;
  let seen = 0;
  const startedAt = performance.now();
  for (let index = 0; index < pairs; index++) {
    end.on(index, () => {
      if (++seen === count) resolve();
      if (toSend-- > 0) end.send(index, message);
    }, borrow);
  }
  for (let index = 0; index < pairs; index++) if (toSend-- > 0) end.send(index, message);
  await promise;
  return count / (performance.now() - startedAt) * 1000;
}
