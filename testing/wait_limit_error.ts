// Copyright 2026 the Partisan peer-service authors. MIT license.

/** What was waited for in virtual time has not come. */
export class WaitLimitError extends Error {
  /** Always `"WaitLimitError"`. */
  override readonly name = "WaitLimitError";
}
