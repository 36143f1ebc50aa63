// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Finds few of `items` that together still have a property which all of them together have: leaves out halves, quarters and so
 * on, down to single ones, for as long as that goes ("Simplifying and isolating failure-inducing input", Zeller and Hildebrandt,
 * 2002, section 3). None of those that are left can be left out alone.
 */
export async function shrink<T>(
  items: readonly T[],
  holds: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  if (await holds([])) return [];
  let kept = items;
  for (let size = Math.ceil(items.length / 2);; size = Math.ceil(size / 2)) {
    for (let start = 0; start < kept.length;) {
      const fewer = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (fewer.length > 0 && await holds(fewer)) kept = fewer;
      else start += size;
    }
    if (size <= 1) return kept;
  }
}
