// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Message of a value that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
