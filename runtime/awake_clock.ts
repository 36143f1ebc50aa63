// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Deadlines } from "./deadlines.ts";
import type { Slowness } from "./local_health.ts";
import type { Clock } from "./runtime.ts";

/**
 * A clock whose timers do not count the time in which this process did not run: what a timer was late by is waited for again.
 *
 * @param health Local health of this node: time passes more slowly while its timers are late, as it does for the attempts that are waited for. In time
 * by default.
 */
export function awakeClock(clock: Clock, health?: Slowness): Clock {
  let waits: { readonly delay: number; readonly deadlines: Deadlines } | undefined;
  return {
    now: () => clock.now(),
    wallTime: () => clock.wallTime(),
    schedule(delay, callback) {
      // A wait that begins before the one before it ends goes on with its timer.
      if (waits?.delay !== delay) waits = { delay, deadlines: new Deadlines(clock, delay, () => undefined, health) };
      const wait = waits.deadlines.begin(callback);
      return { cancel: () => wait[Symbol.dispose]() };
    },
  };
}
