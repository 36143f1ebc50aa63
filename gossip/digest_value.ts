// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Digest } from "../wire/hash.ts";
import { checkInteger } from "../wire/node_spec_check.ts";

/**
 * The digest of two fields of a message.
 *
 * @throws {TypeError | RangeError} When they are no halves of one.
 */
export function digestFromFields(high: unknown, low: unknown): Digest {
  return {
    high: checkInteger(high, "digest", 0, 0xffffffff),
    low: checkInteger(low, "digest", 0, 0xffffffff),
  };
}
