// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { LogEntry } from "./log_entry.ts";

/** A pending call made with {@linkcode Clock.schedule}. */
export interface Timer {
  /** Drops the call. Does nothing when it has already run or been cancelled. */
  cancel(): void;
}

/** The only source of time. */
export interface Clock {
  /** Milliseconds since an arbitrary instant; never runs backwards. */
  now(): number;
  /** Milliseconds since the Unix epoch; may jump when the system clock is set. */
  wallTime(): number;
  /**
   * Calls `callback` once, not before `delay` milliseconds have passed.
   *
   * @param delay Milliseconds, 0 or more.
   */
  schedule(delay: number, callback: () => void): Timer;
}

/** The only source of randomness. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `length` fresh bytes; on a real runtime, fit for nonces. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** Work that the nodes of one process have under way together. */
export interface CommonLoad {
  /** Dials to nodes that answered the last time, or were not dialed yet. */
  dials: number;
}

/** Part of the machine that is enough for protocols: clock, randomness and turns of the event loop. */
export interface LocalRuntime {
  /** Time and timers. */
  readonly clock: Clock;
  /** Randomness. */
  readonly random: Random;
  /**
   * Calls `callback` once the code that is running now has given way: what is
   * sent in one turn of the event loop can then leave in one write.
   */
  defer(callback: () => void): void;
  /** Calls `callback` in the next turn of the event loop. A runtime in which work takes no time can do without. */
  readonly nextTurn?: ((this: void, callback: () => void) => void) | undefined;
  /**
   * Asks whether it is time that timers and other streams get the event loop. For loops that may find work without end. A runtime in
   * which work takes no time can do without.
   *
   * @returns Promise to wait for, or `undefined` to go on.
   */
  giveWay?(): Promise<void> | undefined;
  /**
   * Marks an operation that is finished outside the event loop (cryptography,
   * compression, disk). A simulator waits for it before virtual time goes on; a
   * real runtime returns it as it is.
   */
  outside<T>(operation: Promise<T>): Promise<T>;
  /**
   * Makes a key of a secret and a salt, slowly: scrypt (RFC 7914) with N = 2^15, r = 8, p = 1, 32 bytes. Left out where the node does that itself. A
   * simulator with many nodes does it once for all of them.
   */
  stretch?(secret: Uint8Array, salt: Uint8Array): Promise<Uint8Array>;
  /** Work that all nodes of the process have under way. A runtime in which work takes no time can do without. */
  readonly load?: CommonLoad | undefined;
  /** Shows people the events that have no listener. A runtime without it shows nothing. */
  report?(entry: LogEntry): void;
}
