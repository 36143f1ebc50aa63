// Copyright 2026 the Partisan peer-service authors. MIT license.

import { TcpTransport } from "../transport/tcp_transport.ts";
import type { Transport } from "../transport/transport.ts";
import type { Clock, Random, Runtime, Timer } from "./runtime.ts";

/**
 * A turn of the event loop that lasts longer should end. Reads and writes that find their socket ready are done within the turn, 128
 * in a row: a flood would hold it for a tenth of a second.
 */
const TURN_MS = 4;
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

/**
 * The real world: the system's clock, its randomness and, unless told otherwise, TCP.
 *
 * @example A node that does not wait long for connections to close
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { denoRuntime, systemClock, TcpTransport } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * const transport = new TcpTransport({ clock: systemClock, closeTimeout: 200 });
 * await using node = await startPeerService({ name: "a", runtime: denoRuntime({ transport }) });
 * assertEquals(node.spec.addresses.length, 1);
 * ```
 */
export function denoRuntime(options: DenoRuntimeOptions = {}): Runtime {
  const turn = new Turn();
  return {
    clock: systemClock,
    random: options.random ?? systemRandom,
    transport: options.transport ?? new TcpTransport({ clock: systemClock }),
    defer: (callback) => queueMicrotask(callback),
    giveWay: () => turn.giveWay(),
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

/** The turn of the event loop that is on, from when it was first asked about. */
class Turn {
  #startedAt = 0;
  #end: Promise<void> | undefined;

  giveWay(): Promise<void> | undefined {
    const now = performance.now();
    if (this.#end !== undefined) return now - this.#startedAt > TURN_MS ? this.#end : undefined;
    this.#startedAt = now;
    this.#end = new Promise((resolve) => {
      setImmediate(() => {
        this.#end = undefined;
        resolve();
      });
    });
    return undefined;
  }
}
