// Copyright 2026 the Partisan peer-service authors. MIT license.

/** What happened to messages so far. */
export interface MessageStats {
  /** Messages accepted for sending. */
  sent: number;
  /** Messages on monotonic channels that newer ones took the place of. */
  superseded: number;
  /** Messages handed to a handler. */
  delivered: number;
  /** Messages cast but dropped: no connection, a full queue, or not encodable. */
  dropped: number;
  /** Messages that came for a name without a handler. */
  unhandled: number;
}

/** Why a message did not reach its handler; the detail of an `undeliverable` event. */
export interface Undeliverable {
  /** The node that it was for. */
  readonly node: string;
  /** The handler name that it was for. */
  readonly name: string;
  /** What stood in its way. */
  readonly reason: string;
}
