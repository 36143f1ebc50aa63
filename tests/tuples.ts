// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A list with one `T` for each element of `List`: a tuple where that is one, so that each element is known to be there. */
export type OneForEach<List extends readonly unknown[], T> = { -readonly [Index in keyof List]: T };

/** Like `list.map(make)`, and a tuple stays one. */
export function forEachOf<const List extends readonly unknown[], T>(
  list: List,
  make: (element: List[number], index: number) => T,
): OneForEach<List, T> {
  // `map` keeps the length, which its type does not say.
  return list.map(make) as OneForEach<List, T>;
}
