// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Yields what `source` yields, until that ends or `signal` is aborted, whatever `source` waits for then. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
  const abort = () => resolve(undefined);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    for (let next; (next = await Promise.race([iterator.next(), aborted])) && !next.done;) yield next.value;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
