// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { OutstandingMessage } from "./outstanding_message.ts";
import type { Retransmission } from "./retransmission.ts";
import type { SequenceRing } from "../wire/sequence_ring.ts";
import { WheelEntry } from "./timing_wheel.ts";

/** State of an outstanding message. */
export class Entry<T> {
  /** Entry on the wheel for its next repetition; none as long as it is young. */
  repetition: Repetition<T> | undefined = undefined;
  /** Whether the receiver has refused it for want of room. */
  refused = false;
  /** Whether the receiver has no handler for it. */
  lacking = false;
  constructor(public message: T, public bytes: number) {}
}

/** A message that was not acknowledged at once, on the wheel. */
export class Repetition<T> extends WheelEntry implements OutstandingMessage<T> {
  repetitions = 0;
  /** Whether only the placeholder is left. */
  replaced = false;
  constructor(
    readonly peer: string,
    readonly sequence: number,
    readonly entry: Entry<T>,
    readonly retransmission: Required<Retransmission> | undefined,
    public deadline: number = Infinity,
    readonly placeholder?: T,
  ) {
    super();
  }

  get message(): T {
    return this.entry.message;
  }

  get lacking(): boolean {
    return this.entry.lacking;
  }

  get refused(): boolean {
    return this.entry.refused;
  }
}

/** Messages that one peer has not acknowledged. */
export interface Unacknowledged<T> {
  readonly peer: string;
  readonly messages: SequenceRing<Entry<T>>;
  /** From this number on, what was added without a time is on no wheel yet. */
  young: number;
}
