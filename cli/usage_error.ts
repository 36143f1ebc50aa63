// Copyright 2026 the Partisan peer-service authors. MIT license.

/** The command line makes no sense. The message is for the person who typed it. */
export class UsageError extends Error {
  /** Always `"UsageError"`. */
  override readonly name = "UsageError";
}
