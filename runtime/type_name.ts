// Copyright 2026 the Partisan peer-service authors. MIT license.

/** UTF-16 code units of a string that an error shows. */
const SHOWN_LENGTH_MAX = 40;

/** Whether a value is an object with fields, as opposed to an array, bytes or a date. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The type of a value, as an error names it: `a number`. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  if (Array.isArray(value)) return "an array";
  return isPlain(value) ? "an object" : `a ${value.constructor?.name}`;
}

/** A value, as an error shows it: what is short as it is, the type of everything else. */
export function shown(value: unknown): string {
  if (typeof value === "string" && value.length <= SHOWN_LENGTH_MAX) return JSON.stringify(value);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : typeName(value);
}
