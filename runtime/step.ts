// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * What a protocol answers when something happened: values only. A driver acts on them.
 *
 * @typeParam Message What nodes say to each other.
 * @typeParam Event What becomes known to this node.
 */
export interface Step<Message, Event> {
  /** Messages to send, in order. */
  readonly outgoing: readonly { readonly to: string; readonly message: Message }[];
  /** What became known, in order. It is told after the messages are sent. */
  readonly events: readonly Event[];
  /**
   * When the protocol has something to do by itself, on the local monotonic clock; `Infinity` for not before another event. Absent where
   * the protocol keeps no time of its own, but works in the rounds of its node.
   */
  readonly nextAt?: number;
}
