// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "./runtime.ts";

/** Parts in which a wait is done. The lateness of a timer is known only where it ends. */
const PARTS = 10;

/** A clock whose timers do not count the time in which this process did not run: what a timer was late by is waited for again. */
export function awakeClock(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    wallTime: () => clock.wallTime(),
    schedule: (delay, callback) => inParts(clock, delay, callback),
  };
}

function inParts(clock: Clock, delay: number, callback: () => void): Timer {
  let left = PARTS;
  const begin = (): Timer =>
    clock.schedule(delay / PARTS, () => {
      if (--left === 0) callback();
      else timer = begin();
    });
  let timer = begin();
  return { cancel: () => timer.cancel() };
}
