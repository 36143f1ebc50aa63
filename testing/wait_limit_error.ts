// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Error of a wait in virtual time that reached its limit. */
export class WaitLimitError extends Error {
  /** Always `"WaitLimitError"`. */
  override readonly name = "WaitLimitError";
}
