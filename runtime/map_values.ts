// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A record with the same keys, each with what `change` makes of its value. A key may have any name, as one from outside may. */
export function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
