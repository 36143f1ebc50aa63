// Copyright 2026 the Partisan peer-service authors. MIT license.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of this process that are still referred to: garbage is collected first. */
export function liveBytes(): number {
  collectGarbage();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** Collects garbage. What a `WeakRef` was made of, or has told, in the same turn of the event loop stays. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
