// Copyright 2026 the Partisan peer-service authors. MIT license.

import process from "node:process";
import { quantile } from "./statistics.ts";

const PERIOD_MS = 5;
/** Reading the memory costs more than the timer. */
const TICKS_PER_SAMPLE = 8;
const MEGABYTE = 1_000_000;

/** State of the event loop and the memory of a process. */
export interface Wellbeing {
  /** Lateness of timers, in milliseconds. */
  readonly lateness: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Most resident memory that was seen, in megabytes. */
  readonly memory: number;
  /** Processor time of all threads, the kernel's on their behalf included, in milliseconds. */
  readonly cpu: number;
}

/** Watches, from within, how late timers are and how much memory is used. */
export class WellbeingProbe {
  readonly #lateness: number[] = [];
  readonly #cpuBefore = process.cpuUsage();
  #memory = Deno.memoryUsage().rss;
  #due = 0;
  #ticks = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#schedule();
  }

  /** Ends it. */
  stop(): Wellbeing {
    clearTimeout(this.#timer);
    // A timer that could not run until now is late as well.
    this.#lateness.push(Math.max(0, performance.now() - this.#due));
    this.#memory = Math.max(this.#memory, Deno.memoryUsage().rss);
    const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(this.#lateness, share)) as [number, number, number];
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    return { lateness: { p50, p99, max }, memory: this.#memory / MEGABYTE, cpu: (user + system) / 1000 };
  }

  #schedule(): void {
    this.#due = performance.now() + PERIOD_MS;
    this.#timer = setTimeout(() => {
      this.#lateness.push(performance.now() - this.#due);
      if (++this.#ticks % TICKS_PER_SAMPLE === 0) {
        this.#memory = Math.max(this.#memory, Deno.memoryUsage().rss);
      }
      this.#schedule();
    }, PERIOD_MS);
  }
}
