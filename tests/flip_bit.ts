// Copyright 2026 the Partisan peer-service authors. MIT license.

import { nthOf } from "./values.ts";

/** Flips one bit of a byte, which must be there, in place. */
export function flipBit(bytes: Uint8Array | number[], at: number, bit = 0): void {
  bytes[at] = nthOf(bytes, at) ^ 1 << bit;
}
