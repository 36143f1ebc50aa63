// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MapOperation } from "./map_message.ts";

/** Limits of the size of a map. */
export interface MapLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** About what an operation takes besides its key and its value. */
const OVERHEAD_BYTES = 64;

/** About how many bytes an operation takes. */
export function sizeOf({ key, value }: Pick<MapOperation, "key" | "value">): number {
  return OVERHEAD_BYTES + key.length + (value?.length ?? 0);
}
