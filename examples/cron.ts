// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Cron on one node: every node asks for the job, one of them runs it, and another one when that dies. Only a node that sees a majority of the
 * cluster does, so a cluster that falls apart does not run it twice.
 *
 * @module
 */

import type { PeerServiceManager } from "@partisan/peer-service";
import { Placement } from "@partisan/peer-service/placement";
import { startNode } from "./node.ts";

/** Work that is done at each time. `token` rises: let a database refuse a lower one than it has seen. */
export type Job = (time: Date, token: number) => void | Promise<void>;

/** Runs a job at every multiple of `every` milliseconds, on one of the nodes that ask for it. */
export function cron(node: PeerServiceManager, name: string, every: number, job: Job): Disposable {
  const placement = new Placement(node);
  const { clock } = node.runtime;
  return placement.runOnOne(name, async (signal, { token }) => {
    while (!signal.aborted) {
      const time = (Math.floor(clock.wallTime() / every) + 1) * every;
      await sleep(node, time - clock.wallTime(), signal);
      if (!signal.aborted) await job(new Date(time), token);
    }
  }, { quorum: "majority" });
}

/** Waits for some milliseconds, or until the signal. */
function sleep(node: PeerServiceManager, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = node.runtime.clock.schedule(ms, resolve);
    signal.addEventListener("abort", () => {
      timer.cancel();
      resolve();
    }, { once: true });
  });
}

if (import.meta.main) {
  const node = await startNode();
  cron(
    node,
    "sweep",
    5_000,
    (time, token) => console.log(`${node.name} sweeps at ${time.toISOString()}, token ${token}`),
  );
}
