// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../wire/integers.ts";

/**
 * Checks an option that counts something.
 *
 * @returns `value`.
 * @throws {RangeError} When it is not an integer from `least` to `most`.
 */
export function checkOption(value: number, name: string, least: number, most: number): number {
  if (!isIntegerIn(value, least, most)) {
    throw new RangeError(`Cannot use option "${name}": ${value} is not an integer from ${least} to ${most}`);
  }
  return value;
}
