// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock } from "../../runtime/runtime.ts";
import { Deadlines } from "../deadlines.ts";

/** Dials that a node may have under way at a time. */
const SLOTS = 8;

/**
 * Lets a few dials begin at a time. A node that begins all of them at once on a busy machine finishes none within its deadline, and then
 * begins all of them again.
 *
 * A dial that takes long, because nobody answers, gives its slot back before it ends: a few dead hosts must not keep everyone else
 * waiting.
 */
export class DialSlots {
  readonly #patience: Deadlines;
  #waiting: (() => void)[] = [];
  #taken = 0;

  /** @param patience Milliseconds for which a dial keeps its slot at most. */
  constructor(clock: Clock, patience: number) {
    this.#patience = new Deadlines(clock, patience, () => {});
  }

  /** Runs `dial` as soon as there is a slot for it. */
  async run(dial: () => Promise<unknown>): Promise<void> {
    if (this.#taken >= SLOTS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#taken++;
    let isHeld = true;
    const release = () => {
      if (isHeld) this.#release();
      isHeld = false;
    };
    using _patience = this.#patience.begin(release);
    try {
      await dial();
    } finally {
      release();
    }
  }

  /** Forgets the dials that wait. */
  forget(): void {
    this.#waiting = [];
  }

  /** Hands the slot to the next one that waits. */
  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken--;
    else next();
  }
}
