// Copyright 2026 the Partisan peer-service authors. MIT license.

/** What something that was thrown says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
