// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A record with the same keys, each with what `change` makes of its value. A key may have any name, as one from outside may. */
export function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => U,
): Record<string, U> {
  // A copy has all keys as its own, "__proto__" as well: to assign to that changes no prototype then.
  const changed: Record<string, unknown> = { ...record };
  for (const key of Object.keys(changed)) changed[key] = change(changed[key] as T, key);
  return changed as Record<string, U>;
}
