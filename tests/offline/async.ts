// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Stands in for `@std/async` where JSR cannot be reached: the functions that our tests and examples use, under the
 * same names and with the same meaning.
 *
 * @module
 */

export interface DelayOptions {
  signal?: AbortSignal;
  /** Whether the process stays alive for it. */
  persistent?: boolean;
}

export function delay(ms: number, options: DelayOptions = {}): Promise<void> {
  const { signal, persistent = true } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (!persistent) Deno.unrefTimer(Number(timer));
  });
}

export interface DeadlineOptions {
  signal?: AbortSignal;
}

/** Rejects with a `TimeoutError` when `promise` takes longer than `ms`, or with the signal's reason. */
export async function deadline<T>(promise: Promise<T>, ms: number, options: DeadlineOptions = {}): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const onAbort = () => timeout.reject(options.signal?.reason);
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => timeout.reject(new DOMException("Signal timed out.", "TimeoutError")), ms);
  try {
    return await Promise.race([promise, timeout.promise]);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
  }
}

/** Rejects with the signal's reason when it is aborted first. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

export interface RetryOptions {
  multiplier?: number;
  maxTimeout?: number;
  maxAttempts?: number;
  minTimeout?: number;
  jitter?: number;
  isRetriable?: (error: unknown) => boolean;
}

/** Error that `retry` throws when no attempt succeeded; `cause` is the last failure. */
export class RetryError extends Error {
  constructor(cause: unknown, attempts: number) {
    super(`Retrying exceeded the maxAttempts (${attempts}).`, { cause });
    this.name = "RetryError";
  }
}

export async function retry<T>(fn: () => Promise<T> | T, options: RetryOptions = {}): Promise<T> {
  const { multiplier = 2, maxTimeout = 60_000, maxAttempts = 5, minTimeout = 1_000 } = options;
  const { jitter = 1, isRetriable = () => true } = options;
  let wait = minTimeout;
  for (let attempt = 1;; attempt++) {
    try {
      return await fn();
    } catch (error) {
      if (!isRetriable(error)) throw error;
      if (attempt >= maxAttempts) throw new RetryError(error, maxAttempts);
      const bounded = Math.min(maxTimeout, wait);
      await delay(bounded * (1 - jitter * Math.random()));
      wait *= multiplier;
    }
  }
}
