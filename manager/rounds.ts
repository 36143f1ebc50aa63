// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { LocalHealth } from "../runtime/local_health.ts";
import type { Timer } from "../runtime/runtime.ts";
import type { Runtime } from "../transport/runtime.ts";

/** Calls something once in every interval. */
export class Rounds {
  readonly #runtime: Runtime;
  readonly #interval: number;
  readonly #health: LocalHealth;
  readonly #act: () => void;
  #timer: Timer | null = null;

  /**
   * @param interval Milliseconds.
   * @param health Local health of this node: rounds are rarer while its timers are late.
   */
  constructor(runtime: Runtime, interval: number, health: LocalHealth, act: () => void) {
    this.#runtime = runtime;
    this.#interval = interval;
    this.#health = health;
    this.#act = act;
  }

  /** Begins, at a random point of an interval: the nodes of a cluster that started at once do not act in step. */
  start(): void {
    this.#schedule(this.#interval * this.#runtime.random.next());
  }

  /** Ends it. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #schedule(delay: number): void {
    this.#timer = this.#runtime.clock.schedule(delay, () => {
      this.#schedule(this.#interval * this.#health.stretch);
      this.#act();
    });
  }
}
