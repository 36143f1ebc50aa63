// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Up to `count` different ones of `items` at random, in random order: a Fisher-Yates shuffle that ends early. */
export function sample<T>(items: readonly T[], count: number, random: () => number): T[] {
  const pool = items.slice();
  const size = Math.min(count, pool.length);
  for (let index = 0; index < size; index++) {
    const other = index + Math.floor(random() * (pool.length - index));
    [pool[index], pool[other]] = [pool[other]!, pool[index]!];
  }
  pool.length = size;
  return pool;
}
