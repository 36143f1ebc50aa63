// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Counters of messages: a ledger that adds up. Each message that was `sent` by a node of a cluster, and each broadcast that was
 * `begun` and `delivered`, has been `received`, is under way, or was lost with a connection. At each node `received` is the sum
 * of `delivered`, `replies`, `duplicates`, `unhandled`, `undecodable`, `intercepted`, `turnedAway` and `discarded`, and of what
 * waits for room or its turn.
 */
export interface MessageStats {
  /** Messages that left here, or were handed over to this node itself: requests, replies and repetitions among them. */
  sent: number;
  /** Messages that came in by whatever way: requests, replies, repetitions and broadcasts among them. */
  received: number;
  /** Messages on monotonic channels that newer ones took the place of. */
  superseded: number;
  /** Messages handed to a handler. */
  delivered: number;
  /** Messages cast but dropped: no connection, a full queue, or not encodable; and messages without a guarantee that may be lost, as their connection closed. */
  dropped: number;
  /** Replies to calls from here. */
  replies: number;
  /** Messages that came in and could not be decoded. */
  undecodable: number;
  /** Messages that came in and that interposition functions dropped. */
  intercepted: number;
  /** Messages that came in and for which there was no room. */
  turnedAway: number;
  /** Messages that came in and were of no use any more: of a call that was given up, or of a causal order that went on without them. */
  discarded: number;
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

/** Counters before the first message. */
export function noMessages(): MessageStats {
  return {
    sent: 0,
    received: 0,
    replies: 0,
    undecodable: 0,
    intercepted: 0,
    turnedAway: 0,
    discarded: 0,
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

/** Reason for which a message did not reach its handler; the detail of an `undeliverable` event. */
export interface Undeliverable {
  /** The node that it was for. */
  readonly node: string;
  /** The handler name that it was for. */
  readonly name: string;
  /** Reason, in a sentence. */
  readonly reason: string;
}
