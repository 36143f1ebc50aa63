// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Time limits of the wait for participants that are not there. */
export interface CausalPatience {
  /**
   * Milliseconds after which messages of a participant that is down are not waited for any longer.
   *
   * @default {30_000}
   */
  readonly patience?: number;
  /**
   * Milliseconds after which all nodes have surely learned that a participant is gone.
   *
   * @default {60_000}
   */
  readonly grace?: number;
  /**
   * Milliseconds after which a message of a participant that is there is not waited for any longer when others have told of it, and it has
   * shown nothing of it. Twice the longest wait between two repetitions.
   *
   * @default {60_000}
   */
  readonly belief?: number;
  /**
   * Whether one that is down counts as one that was never connected: forgotten once it has been silent for the time of `grace`. So it is where a node
   * does not hear of all that are gone for good.
   *
   * @default {false}
   */
  readonly forgetsDown?: boolean;
}

/** Time limits and bounds of a `CausalOrder`. */
export interface CausalOrderOptions extends CausalPatience {
  /**
   * Most messages that wait for others.
   *
   * @default {10_000}
   */
  readonly messagesMax?: number;
  /**
   * Most bytes that wait for others.
   *
   * @default {16_777_216}
   */
  readonly bytesMax?: number;
}
