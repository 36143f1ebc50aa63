// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- The measured value is printed next to its bound.

import { assertLessOrEqual } from "@std/assert";

/** Asserts that `measured` keeps within `bound`, and shows both. */
export function assertWithinBudget(what: string, measured: number, bound: number, unit: string): void {
  console.log(`${what}: ${Number(measured.toFixed(2))} ${unit}, bound ${bound} ${unit}`);
  assertLessOrEqual(measured, bound, what);
}
