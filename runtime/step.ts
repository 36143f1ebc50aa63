// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Answer of a protocol to an event: values only. A driver acts on them.
 *
 * @typeParam Message What nodes say to each other.
 * @typeParam Event What becomes known to this node.
 */
export interface Step<Message, Event> {
  /** Messages to send, in order. */
  readonly outgoing: readonly { readonly to: string; readonly message: Message }[];
  /** Events, in order. They are told after the messages are sent. */
  readonly events: readonly Event[];
  /**
   * Time at which the protocol acts by itself, on the local monotonic clock; `Infinity` for not before another event. Absent
   * where the protocol keeps no time of its own, but works in the rounds of its node.
   */
  readonly nextAt?: number;
}
