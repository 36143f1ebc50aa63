// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Delays before the next try. */
export interface BackoffOptions {
  /** Milliseconds before the second try. */
  readonly initial: number;
  /** Most milliseconds between two tries. */
  readonly cap: number;
}

/**
 * The wait before the next try: doubled with each failure up to the cap, of which a random half is taken off so that many do not
 * try at the same time ("equal jitter").
 *
 * @param failures Failed tries so far; after none the wait is 0.
 * @param random A number in [0, 1).
 * @returns Milliseconds.
 */
export function backoffDelay(failures: number, random: number, { initial, cap }: BackoffOptions): number {
  if (failures === 0) return 0;
  const full = Math.min(cap, initial * 2 ** Math.min(failures - 1, 30));
  return full * (1 - random / 2);
}
