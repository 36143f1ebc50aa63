// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Bytes that this file's tests have of the machine, for objects and for buffers. The resident memory is that of all files that run at once. */
export function ownMemory(): number {
  const { heapTotal, external } = Deno.memoryUsage();
  return heapTotal + external;
}
