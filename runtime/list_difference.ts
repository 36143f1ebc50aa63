// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Elements that are only in `a` or only in `b`, found quickly where the lists begin and end alike. */
export function difference<T>(a: readonly T[], b: readonly T[]): readonly [onlyA: readonly T[], onlyB: readonly T[]] {
  if (a === b) return [[], []];
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start++;
  let end = 0;
  while (end < most - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [setA, setB] = [new Set(a.slice(start, a.length - end)), new Set(b.slice(start, b.length - end))];
  return [[...setA.difference(setB)], [...setB.difference(setA)]];
}
