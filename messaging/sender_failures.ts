// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";
import type { SequenceIslands } from "../wire/sequence_islands.ts";
import type { RemoteError } from "./errors.ts";

/** Failures of one sender's messages that are kept until it knows of them; beyond it nothing new of it is admitted. */
const FAILURES_MAX = 1_024;

/** Told of a message whose handler threw, when it is not remembered any more what. */
const FORGOTTEN: RemoteError = { name: "Error", message: "The handler threw, and what is not remembered any more" };

/**
 * Messages of one sender whose handlers threw: each is told again whenever the message is repeated, until the sender has done with it.
 *
 * What others pass on may be made up, and its sender then never says that it has done with it. Such failures keep nothing out. Of the last ones it is
 * remembered what was thrown, of others only that something was.
 */
export class SenderFailures {
  readonly #known = new Map<number, RemoteError>();
  readonly #heard = new Map<number, RemoteError>();
  /** Numbers of all those that others have passed on. */
  readonly #heardNumbers: SequenceIslands;
  /** Numbers that the next acknowledgement has to name. */
  readonly #due = new Set<number>();

  /** @param heardNumbers Empty set for the numbers that others pass on. */
  constructor(heardNumbers: SequenceIslands) {
    this.#heardNumbers = heardNumbers;
  }

  /** Whether there is anything to tell at a repetition. */
  get isEmpty(): boolean {
    return this.#known.size + this.#heardNumbers.size === 0;
  }

  /** Whether the sender has to hear of some before it is admitted anything new. */
  get isFull(): boolean {
    return this.#known.size >= FAILURES_MAX;
  }

  /**
   * The handler of a message threw.
   *
   * @param teller Name of the node that passed it on; `undefined` when it came from the sender itself.
   */
  add(sequence: number, error: RemoteError, teller: string | undefined): void {
    this.#due.add(sequence);
    if (teller === undefined) this.#known.set(sequence, error);
    else {
      this.#heardNumbers.add(sequence, teller);
      forgetOldest(this.#heard.set(sequence, error), FAILURES_MAX);
    }
  }

  /** A message is repeated. @returns Whether its handler threw. */
  repeat(sequence: number): boolean {
    const isFailure = this.#known.has(sequence) || this.#heardNumbers.has(sequence);
    if (isFailure) this.#due.add(sequence);
    return isFailure;
  }

  /** The sender has done with everything below a number. */
  forgetBelow(floor: number): void {
    this.#heardNumbers.forgetBelow(floor);
    for (const numbers of [this.#known, this.#heard, this.#due]) {
      for (const sequence of numbers.keys()) if (sequence < floor) numbers.delete(sequence);
    }
  }

  /** Takes those that the next acknowledgement has to name. */
  take(): (readonly [number, RemoteError])[] {
    const failed = Array.from(
      this.#due,
      (sequence) => [sequence, this.#known.get(sequence) ?? this.#heard.get(sequence) ?? FORGOTTEN] as const,
    );
    if (this.#due.size > 0) this.#due.clear();
    return failed;
  }
}
