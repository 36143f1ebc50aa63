// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../wire/integers.ts";

/** @throws {RangeError} When a port is none. */
export function checkPort(action: string, port: number): void {
  if (!isIntegerIn(port, 1, 65_535)) throw new RangeError(`${action}: port is ${port}, expected 1 to 65535`);
}
