// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Random, Timer } from "./runtime.ts";
import { TimerTurns } from "./timer_turns.ts";

/** `setTimeout` takes no longer delays: it runs them at once. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;
/** `crypto.getRandomValues` fills no more at once. */
const RANDOM_BYTES_MAX = 65_536;

/** There is one event loop, for all nodes of the process. */
const timerTurns = new TimerTurns({
  now: () => performance.now(),
  nextTurn: (callback) => void setImmediate(callback),
  failed: reportError,
});

/** Time and timers of the system. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  schedule: (delay, callback) => new SystemTimer(delay, callback),
};

/** Randomness of the system. */
export const systemRandom: Random = {
  next: () => Math.random(),
  bytes(length) {
    const bytes = new Uint8Array(length);
    for (let start = 0; start < length; start += RANDOM_BYTES_MAX) {
      crypto.getRandomValues(bytes.subarray(start, start + RANDOM_BYTES_MAX));
    }
    return bytes;
  },
};

class SystemTimer implements Timer {
  #id: ReturnType<typeof setTimeout>;
  #isCancelled = false;

  constructor(delay: number, callback: () => void) {
    this.#id = this.#start(delay, callback);
  }

  cancel(): void {
    this.#isCancelled = true;
    clearTimeout(this.#id);
  }

  #start(delay: number, callback: () => void): ReturnType<typeof setTimeout> {
    if (delay <= TIMEOUT_MAX_MS) {
      const dueAt = performance.now() + delay;
      const call = () => {
        if (!this.#isCancelled) callback();
      };
      return setTimeout(() => timerTurns.run(dueAt, call), delay);
    }
    return setTimeout(() => {
      this.#id = this.#start(delay - TIMEOUT_MAX_MS, callback);
    }, TIMEOUT_MAX_MS);
  }
}
