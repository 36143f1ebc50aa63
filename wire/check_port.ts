// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "./integers.ts";

/**
 * Makes sure that a number can be a port.
 *
 * @param least Lowest one: 0 where any free one will do.
 * @throws {RangeError} When it can be none.
 */
export function checkPort(action: string, port: number, least = 1): void {
  if (!isIntegerIn(port, least, 65_535)) throw new RangeError(`${action}: port is ${port}, expected ${least} to 65535`);
}
