// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock } from "./runtime.ts";

/** Reasons to end a wait early: a signal and a time limit. */
export interface Deadline {
  /** Ends it when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which it ends, counted from the last progress. */
  readonly timeout?: number | undefined;
}

/** @throws {RangeError} When `timeout` is no number of milliseconds. */
export function checkTimeout(timeout: number | undefined, what: string): void {
  if (timeout !== undefined) checkMilliseconds("timeout", timeout, what);
}

/** @throws {RangeError} When the option `name` is no number of milliseconds. */
export function checkMilliseconds(name: string, value: number, what: string): void {
  if (typeof value === "number" && value >= 0) return;
  throw new RangeError(`${what}: "${name}" is ${String(value)}; expected milliseconds, 0 or more`);
}

/**
 * Runs `work` with a signal that is aborted when the caller's is, or when the time is up.
 *
 * @param what Action under way, for the message: `Cannot join "a"`.
 * @param work Calls `progress` to have the time begin anew.
 * @throws {DOMException} A `TimeoutError` when the time is up.
 * @throws {RangeError} When `timeout` is no number of milliseconds.
 * @throws The reason of the caller's signal, once that is aborted.
 */
export async function withDeadline<T>(
  clock: Clock,
  { signal, timeout }: Deadline,
  what: string,
  work: (signal: AbortSignal, progress: () => void) => Promise<T>,
): Promise<T> {
  checkTimeout(timeout, what);
  signal?.throwIfAborted();
  const controller = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
  });
  const expire = () => controller.abort(new DOMException(`${what}: no success within ${timeout} ms`, "TimeoutError"));
  const begin = () => timeout === undefined ? undefined : clock.schedule(timeout, expire);
  let isOver = false;
  let timer = begin();
  const progress = () => {
    if (isOver || controller.signal.aborted) return;
    const former = timer;
    timer = begin();
    former?.cancel();
  };
  const abort = () => controller.abort(signal!.reason);
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([work(controller.signal, progress), aborted]);
  } finally {
    isOver = true;
    timer?.cancel();
    signal?.removeEventListener("abort", abort);
  }
}
