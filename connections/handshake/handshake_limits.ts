// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Deadlines, type GiveUp } from "../../runtime/deadlines.ts";
import type { Slowness } from "../../runtime/local_health.ts";
import type { Clock } from "../../runtime/runtime.ts";

/** Settings of one attempt. */
export interface LimitOptions {
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined;
  /** Whether it may take twice as long. */
  readonly isPatient?: boolean | undefined;
}

/** Gives up attempts to open a connection: when their time is up, when their callers say so, and when the node stops. */
export class HandshakeLimits {
  readonly #usual: Deadlines;
  readonly #patient: Deadlines;
  #stopped = false;

  /**
   * @param duration In milliseconds.
   * @param expired Called for each attempt whose time is up.
   * @param health Local health of this node; in time by default.
   */
  constructor(clock: Clock, duration: number, expired: () => void, health?: Slowness) {
    const deadlines = (limit: number) => {
      const reason = () => {
        expired();
        return new DOMException(`Cannot open a connection: no handshake within ${limit} ms`, "TimeoutError");
      };
      return new Deadlines(clock, limit, reason, health);
    };
    this.#usual = deadlines(duration);
    this.#patient = deadlines(2 * duration);
  }

  /** Whether the node has stopped. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /**
   * Has an attempt given up, unless what is returned is disposed of before.
   *
   * @throws {Error} When the node has stopped.
   */
  begin(giveUp: GiveUp, { signal, isPatient = false }: LimitOptions = {}): Disposable {
    if (this.#stopped) throw stopped();
    const deadline = (isPatient ? this.#patient : this.#usual).begin(giveUp);
    if (signal === undefined) return deadline;
    const abort = () => giveUp(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    return {
      [Symbol.dispose]() {
        deadline[Symbol.dispose]();
        signal.removeEventListener("abort", abort);
      },
    };
  }

  /** Gives up every attempt under way, and those to come. */
  stop(): void {
    this.#stopped = true;
    this.#usual.giveUpAll(stopped());
    this.#patient.giveUpAll(stopped());
  }
}

function stopped(): Error {
  return new Error("Cannot open a connection: the node was stopped");
}
