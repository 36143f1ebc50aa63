// Copyright 2026 the Partisan peer-service authors. MIT license.

import { StoppedError } from "../messaging/errors.ts";
import { checkTimeout } from "../runtime/deadline.ts";
import { CHECKED_ELSEWHERE, checkOptions, type OptionKinds, SIGNAL } from "../runtime/options.ts";
import { sleep } from "../runtime/sleep.ts";
import type { Node } from "./node.ts";

/** Options of `drain`. */
export interface DrainOptions {
  /**
   * Longest, in milliseconds, that is waited for what is in hand.
   *
   * @default {30_000}
   */
  readonly timeout?: number | undefined;
  /**
   * Waits no more for what is in hand once aborted: leaves and stops at once.
   *
   * @default {none}
   */
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionKinds<DrainOptions> = { timeout: CHECKED_ELSEWHERE, signal: SIGNAL };

/** The attribute by which a node says that it takes no new work. */
export const DRAINING_ATTRIBUTE = "draining";

/** Looks so often in a heartbeat interval whether all is done. */
const LOOKS_PER_INTERVAL = 10;

/** Ends a node in good order: tells all that it takes no new work, finishes what is in hand, leaves the cluster, stops. */
export async function drain(node: Node, options: DrainOptions | undefined): Promise<void> {
  node.context.checkRunning("drain");
  const { timeout = 30_000, signal } = checkOptions("Cannot drain", options, OPTIONS);
  checkTimeout(timeout, `Cannot drain "${node.self.name}"`);
  node.attributes.set(DRAINING_ATTRIBUTE, true);
  const isDone = await allDone(node, timeout, node.context.untilStopped(signal));
  if (!isDone) {
    const reason = new DOMException(`Cannot go on: "${node.self.name}" was drained, and its time is up`, "AbortError");
    node.messaging.abortHandlers(reason);
  }
  if (!node.context.stopped) await node.leave();
  await node.stop(new StoppedError(`Cannot go on: "${node.self.name}" was drained`));
}

/**
 * Resolves when nothing is in hand any more, and what was sent before the others knew has come in; or the time is up.
 *
 * @returns Whether all was done in time.
 */
async function allDone(node: Node, timeout: number, signal: AbortSignal): Promise<boolean> {
  const { runtime: { clock }, settings: { heartbeat: { interval } } } = node.context;
  const { registry, reliableSender } = node.messaging;
  const begunAt = clock.now();
  let hasBeenTold = false;
  for (let left; !signal.aborted && (left = begunAt + timeout - clock.now()) > 0;) {
    const { pending, waiting } = registry.workload;
    hasBeenTold ||= clock.now() - begunAt >= Math.min(interval, timeout);
    const isIdle = pending === 0 && waiting === 0 && reliableSender.outstanding === 0 &&
      node.streaming.stats.open === 0;
    if (hasBeenTold && isIdle) return true;
    await sleep(clock, Math.min(interval / LOOKS_PER_INTERVAL, left), signal).catch(() => {});
  }
  return false;
}
