// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Waits for `promise` no longer than until `signal` is aborted. The work behind the promise goes on.
 *
 * @throws The reason of the signal, once that is aborted.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
