// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Outcome for a message that arrived.
 *
 * - `"delivered"`, `"buffered"`, `"duplicate"`: it is in safe hands; acknowledge it.
 * - `"full"`: it has to wait and there is no room for it; refuse it, it will be repeated.
 * - `"late"`: others overtook it after patience with its sender had ended (or it was delivered before, when nothing
 *   ahead of this drops repetitions); refuse it for good.
 * - `"gone"`: its sender is gone for good; refuse it for good, should that one live all the same.
 * - `"misaddressed"`: it is for another incarnation of this node; refuse it, its sender stamps it anew.
 */
export type CausalOutcome = "delivered" | "buffered" | "duplicate" | "full" | "late" | "gone" | "misaddressed";

/** A message whose turn has come. */
export interface CausalDelivery<T> {
  /** Node that sent it. */
  readonly from: string;
  /** The message. */
  readonly payload: T;
}
