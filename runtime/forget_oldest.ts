// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Takes the oldest entries out of a map or a set, until there are no more than `most`. Entries are as old as their last insertion: an entry that is
 * to count as new is deleted first.
 *
 * @example Three of four names are kept
 * ```ts
 * import { forgetOldest } from "./forget_oldest.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const names = new Set(["a", "b", "c", "d"]);
 * forgetOldest(names, 3);
 * assertEquals([...names], ["b", "c", "d"]);
 * ```
 */
export function forgetOldest<K>(entries: Map<K, unknown> | Set<K>, most: number): void {
  if (entries.size <= most) return;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    if (entries.size <= most) return;
  }
}
