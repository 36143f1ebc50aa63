// Copyright 2026 the Partisan peer-service authors. MIT license.

const SAME = [[], []] as const;

/** Elements that are only in `a` or only in `b`, found quickly where the lists begin and end alike. No list has one of them twice. */
export function difference<T>(a: readonly T[], b: readonly T[]): readonly [onlyA: readonly T[], onlyB: readonly T[]] {
  if (a === b) return SAME;
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start++;
  let end = 0;
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [middleA, middleB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (middleA.length === 0 || middleB.length === 0) return [middleA, middleB];
  const [setA, setB] = [new Set(middleA), new Set(middleB)];
  return [[...setA.difference(setB)], [...setB.difference(setA)]];
}
