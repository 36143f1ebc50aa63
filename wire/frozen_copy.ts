// Copyright 2026 the Partisan peer-service authors. MIT license.

import { mapValues } from "../runtime/map_values.ts";

/**
 * A copy that shares nothing with the value and cannot be changed, however deep. What holds bytes or a time is copied, and can be changed: the
 * language has no way to prevent that.
 *
 * @param value Made of what MessagePack can carry, without circles.
 */
export function frozenCopy<T>(value: T): T {
  return copyOf(value) as T;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (value instanceof Date) return new Date(value);
  if (Array.isArray(value)) return Object.freeze(value.map(copyOf));
  return Object.freeze(mapValues(value as Record<string, unknown>, copyOf));
}
