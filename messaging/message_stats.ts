// Copyright 2026 the Partisan peer-service authors. MIT license.

/** What happened to messages so far. */
export interface MessageStats {
  /** Messages accepted for sending. */
  sent: number;
  /** Messages on monotonic channels that newer ones took the place of. */
  superseded: number;
  /** Messages handed to a handler. */
  delivered: number;
  /** Messages cast but dropped: no connection, a full queue, or not encodable; and messages without a guarantee that may be lost, as their connection closed. */
  dropped: number;
  /** Messages that came for a name without a handler. */
  unhandled: number;
  /** Messages whose handler threw, or rejected, or that could not be decoded. */
  failed: number;
  /** Messages and calls that were refused here for want of room: they were to be handled here, or to be called from here. */
  overloaded: number;
  /** Transmissions of messages that had not been acknowledged in time. */
  repeated: number;
  /** Messages that were given up because their deadline passed without an acknowledgement. */
  expired: number;
  /** Messages that had come before: repetitions whose first transmission was not lost. */
  duplicates: number;
}

/** Where nothing has happened yet. */
export function noMessages(): MessageStats {
  return {
    sent: 0,
    superseded: 0,
    delivered: 0,
    dropped: 0,
    unhandled: 0,
    failed: 0,
    overloaded: 0,
    repeated: 0,
    expired: 0,
    duplicates: 0,
  };
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
