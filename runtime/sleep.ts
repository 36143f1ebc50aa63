// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock } from "./runtime.ts";

/**
 * Resolves after `delay` milliseconds.
 *
 * @throws The reason of `signal`, once that is aborted.
 */
export function sleep(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.schedule(delay, () => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
