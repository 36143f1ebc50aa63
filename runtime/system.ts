// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Random, Timer } from "./runtime.ts";

/** `setTimeout` takes no longer delays: it runs them at once. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;
/** `crypto.getRandomValues` fills no more at once. */
const RANDOM_BYTES_MAX = 65_536;

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

  constructor(delay: number, callback: () => void) {
    this.#id = this.#start(delay, callback);
  }

  cancel(): void {
    clearTimeout(this.#id);
  }

  #start(delay: number, callback: () => void): ReturnType<typeof setTimeout> {
    if (delay <= TIMEOUT_MAX_MS) return setTimeout(callback, delay);
    return setTimeout(() => {
      this.#id = this.#start(delay - TIMEOUT_MAX_MS, callback);
    }, TIMEOUT_MAX_MS);
  }
}
