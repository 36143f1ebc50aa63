// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { OptionKind } from "./options.ts";

/** Kind of the values that have some functions, whatever their class. */
export function objectWith(expected: string, ...functions: readonly string[]): OptionKind {
  const has = (value: object) => functions.every((name) => typeof Reflect.get(value, name) === "function");
  return [expected, (value) => typeof value === "object" && value !== null && has(value)];
}

/** A source of time. */
export const CLOCK: OptionKind = objectWith("a clock", "now", "wallTime", "schedule");
/** A source of randomness. */
export const RANDOM: OptionKind = objectWith("a source of randomness", "next", "bytes");
