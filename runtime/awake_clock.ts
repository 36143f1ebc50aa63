// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { LocalHealth } from "./local_health.ts";
import type { Clock, Timer } from "./runtime.ts";

/** Parts in which a wait is done. The lateness of a timer is known only where it ends. */
const PARTS = 10;
/** Milliseconds that make no difference. */
const PRECISION_MS = 0.001;

/**
 * A clock whose timers do not count the time in which this process did not run: what a timer was late by is waited for again.
 *
 * @param health Local health of this node: time passes more slowly while its timers are late, as it does for the attempts that are waited for. In time
 * by default.
 */
export function awakeClock(clock: Clock, health?: LocalHealth): Clock {
  return {
    now: () => clock.now(),
    wallTime: () => clock.wallTime(),
    schedule: (delay, callback) => inParts(clock, delay, callback, () => health?.multiplier ?? 1),
  };
}

function inParts(clock: Clock, delay: number, callback: () => void, slowness: () => number): Timer {
  let left = delay;
  const begin = (): Timer => {
    const part = Math.min(left * slowness(), delay / PARTS);
    return clock.schedule(part, () => {
      left -= part / slowness();
      if (left <= PRECISION_MS) callback();
      else timer = begin();
    });
  };
  let timer = begin();
  return { cancel: () => timer.cancel() };
}
