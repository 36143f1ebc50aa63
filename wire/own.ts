// Copyright 2026 the Partisan peer-service authors. MIT license.

/** The value that a plain object has itself: a key from outside may be `"toString"`, which every object inherits. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
