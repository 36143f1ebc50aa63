// Copyright 2026 the Partisan peer-service authors. MIT license.

/** What is only in `a` and what is only in `b`, quickly where they begin and end alike. */
export function difference<T>(a: readonly T[], b: readonly T[]): readonly [onlyA: readonly T[], onlyB: readonly T[]] {
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start++;
  let end = 0;
  while (end < most - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [setA, setB] = [new Set(a.slice(start, a.length - end)), new Set(b.slice(start, b.length - end))];
  return [[...setA.difference(setB)], [...setB.difference(setA)]];
}
