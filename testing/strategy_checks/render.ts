// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * A value as text, so that two of them can be compared: equal values give the same text. Looks into arrays, plain
 * objects, maps, sets, bytes and the public fields of anything else.
 */
export function render(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value) || value instanceof Uint8Array) return `[${Array.from(value, render).join()}]`;
  if (value instanceof Set) return `Set{${[...value].map(render).join()}}`;
  if (value instanceof Map) return `Map{${[...value].map(([key, item]) => `${render(key)}:${render(item)}`).join()}}`;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([key, field]) => `${key}:${render(field)}`).sort().join()}}`;
}

/** Makes arrays and plain objects within a value unchangeable, so that a strategy that changes one of them throws. */
export function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  const prototype = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return;
  Object.freeze(value);
  for (const field of Object.values(value)) freeze(field);
}
