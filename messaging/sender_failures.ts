// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";
import type { RemoteError } from "./errors.ts";

/** Failures of one sender's messages that are kept until it knows of them; beyond it nothing new of it is admitted. */
const FAILURES_MAX = 1_024;

/**
 * Messages of one sender whose handlers threw: each is told again whenever the message is repeated, until the sender has done with it.
 *
 * What others pass on may be made up, and its sender then never says that it has done with it. Of such failures the last ones are kept, and they
 * keep nothing out.
 */
export class SenderFailures {
  readonly #known = new Map<number, RemoteError>();
  readonly #heard = new Map<number, RemoteError>();
  /** Numbers that the next acknowledgement has to name. */
  readonly #due = new Set<number>();

  /** Whether there is anything to tell at a repetition. */
  get isEmpty(): boolean {
    return this.#known.size + this.#heard.size === 0;
  }

  /** Whether the sender has to hear of some before it is admitted anything new. */
  get isFull(): boolean {
    return this.#known.size >= FAILURES_MAX;
  }

  /** The handler of a message threw. */
  add(sequence: number, error: RemoteError, isFirstHand: boolean): void {
    const failures = isFirstHand ? this.#known : this.#heard;
    failures.set(sequence, error);
    this.#due.add(sequence);
    if (!isFirstHand) forgetOldest(failures, FAILURES_MAX);
  }

  /** A message is repeated. @returns Whether its handler threw. */
  repeat(sequence: number): boolean {
    const isFailure = this.#known.has(sequence) || this.#heard.has(sequence);
    if (isFailure) this.#due.add(sequence);
    return isFailure;
  }

  /** The sender has done with everything below a number. */
  forgetBelow(floor: number): void {
    for (const failures of [this.#known, this.#heard]) {
      for (const sequence of failures.keys()) {
        if (sequence >= floor) continue;
        failures.delete(sequence);
        this.#due.delete(sequence);
      }
    }
  }

  /** Takes those that the next acknowledgement has to name. */
  take(): (readonly [number, RemoteError])[] {
    const failed: (readonly [number, RemoteError])[] = [];
    for (const sequence of this.#due) {
      const error = this.#known.get(sequence) ?? this.#heard.get(sequence);
      if (error !== undefined) failed.push([sequence, error]);
    }
    if (this.#due.size > 0) this.#due.clear();
    return failed;
  }
}
