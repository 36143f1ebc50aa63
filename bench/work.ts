// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Nanoseconds that `work` takes, done again and again for about so many milliseconds. */
export function timePerRun(work: () => unknown, milliseconds: number): number {
  for (let count = 1;; count *= 2) {
    const startedAt = performance.now();
    for (let run = 0; run < count; run++) {
      if (work() === undefined) throw new TypeError("Cannot measure: the work has no result");
    }
    const elapsed = performance.now() - startedAt;
    if (elapsed >= milliseconds / 2) return 1e6 * elapsed / count;
  }
}
