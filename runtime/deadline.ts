// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock } from "./runtime.ts";

/** What may end a wait early. */
export interface Deadline {
  /** Ends it when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which it ends. */
  readonly timeout?: number | undefined;
}

/**
 * Runs `work` with a signal that is aborted when the caller's is, or when the time is up.
 *
 * @param what What is being done, for the message: `Cannot join "a"`.
 * @throws {DOMException} A `TimeoutError` when the time is up.
 * @throws The reason of the caller's signal, once that is aborted.
 */
export async function withDeadline<T>(
  clock: Clock,
  { signal, timeout }: Deadline,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
  });
  const expire = () => controller.abort(new DOMException(`${what}: no success within ${timeout} ms`, "TimeoutError"));
  const timer = timeout === undefined ? undefined : clock.schedule(timeout, expire);
  const abort = () => controller.abort(signal!.reason);
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([work(controller.signal), aborted]);
  } finally {
    timer?.cancel();
    signal?.removeEventListener("abort", abort);
  }
}
