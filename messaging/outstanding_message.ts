// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Retransmission } from "./retransmission.ts";

/**
 * Options and bounds of `OutstandingMessages`.
 *
 * @typeParam T What the owner keeps of a message.
 */
export interface OutstandingOptions<T> {
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Default for messages that have no schedule of their own. */
  readonly retransmission?: Retransmission;
  /**
   * Most messages, to all peers together.
   *
   * @default {65_536}
   */
  readonly messagesMax?: number;
  /**
   * Most bytes, to all peers together.
   *
   * @default {67_108_864}
   */
  readonly bytesMax?: number;
  /**
   * Count of numbers that are left out before the first message to a peer. By chance, so that no other node burns the numbers
   * of messages that it does not see.
   *
   * @default {() => 0}
   */
  readonly skip?: () => number;
  /**
   * Called for each message that `age()` finds: it may stay for long.
   *
   * @default {() => {}}
   */
  readonly aged?: (message: T) => void;
}

/** Delivery guarantees of one message. */
export interface OutstandingMessageOptions<T> {
  /** Bytes that the message counts for. */
  readonly bytes: number;
  /** Milliseconds on the local clock. When absent, it counts as sent at the next `age()`, and nothing else may be asked for. */
  readonly now?: number | undefined;
  /** Time at which it is given up, on the same clock; never when absent. */
  readonly deadline?: number | undefined;
  /** Schedule of its repetitions; `false` for not at all, which a placeholder overrules. */
  readonly retransmission?: Retransmission | false | undefined;
  /**
   * Placeholder that goes on being sent, under the same number and for as long as it takes, once the message itself was given
   * up: for a message whose place in an order must be filled.
   */
  readonly placeholder?: T | undefined;
}

/** A message whose acknowledgement has not come. */
export interface OutstandingMessage<T> {
  /** Name of the receiver. */
  readonly peer: string;
  /** Its number among the messages to that receiver. */
  readonly sequence: number;
  /** The message, or, when it was given up, its placeholder. */
  readonly message: T;
  /** Number of its repetitions. */
  readonly repetitions: number;
  /** Whether the receiver has refused it for want of room. */
  readonly refused: boolean;
  /** Whether the receiver had no handler for it when it was heard of last. */
  readonly lacking: boolean;
}

/** Result of `due()`. */
export interface DueMessages<T> {
  /** To be sent again. */
  readonly resend: readonly OutstandingMessage<T>[];
  /** Given up, because their deadline has passed. */
  readonly expired: readonly OutstandingMessage<T>[];
}
