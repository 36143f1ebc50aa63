// Copyright 2026 the Partisan peer-service authors. MIT license.

import { TcpTransport } from "../transport/tcp_transport.ts";
import type { Transport } from "../transport/transport.ts";
import type { Clock, Random, Runtime, Timer } from "./runtime.ts";

/** `setTimeout` takes no longer delays: it runs them at once. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;
/** `crypto.getRandomValues` fills no more at once. */
const RANDOM_BYTES_MAX = 65_536;

/** Options of {@linkcode denoRuntime}. */
export interface DenoRuntimeOptions {
  /**
   * How bytes reach other nodes.
   *
   * @default {new TcpTransport({ clock })}
   */
  readonly transport?: Transport | undefined;
  /**
   * Where randomness comes from, for runs that are to be alike.
   *
   * @default {Math.random and crypto.getRandomValues}
   */
  readonly random?: Random | undefined;
}

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

/** The real world: the system's clock, its randomness and, unless told otherwise, TCP. */
export function denoRuntime(options: DenoRuntimeOptions = {}): Runtime {
  return {
    clock: systemClock,
    random: options.random ?? systemRandom,
    transport: options.transport ?? new TcpTransport({ clock: systemClock }),
    defer: (callback) => queueMicrotask(callback),
    outside: (operation) => operation,
  };
}

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
