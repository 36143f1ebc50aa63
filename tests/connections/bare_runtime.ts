// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../../transport/runtime.ts";
import { SeededRandom } from "../../testing/seeded_random.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";

/** A runtime without a network, whose time only the test moves. */
export interface BareRuntime extends Runtime {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** Lets virtual time pass, and what becomes due in it happen; what is done outside the event loop is over by then. */
  pass(milliseconds: number): Promise<void>;
}

/** Makes one. */
export function bareRuntime(seed = 1): BareRuntime {
  const unreachable = () => Promise.reject(new Error("There is no network"));
  const clock = new VirtualClock();
  const outside = new Set<Promise<unknown>>();
  return {
    clock,
    random: new SeededRandom(seed),
    transport: { listen: unreachable, connect: unreachable },
    defer: queueMicrotask,
    outside(operation) {
      outside.add(operation);
      operation.catch(() => {}).finally(() => outside.delete(operation));
      return operation;
    },
    pass: (milliseconds) => pass(clock, milliseconds, outside),
  };
}

/** Lets virtual time pass, and what becomes due in it happen. */
export async function pass(
  clock: VirtualClock,
  milliseconds: number,
  outside: ReadonlySet<Promise<unknown>> = new Set(),
): Promise<void> {
  const end = clock.now() + milliseconds;
  for (;;) {
    do {
      await Promise.allSettled(outside);
      await new Promise((resolve) => setImmediate(resolve));
    } while (outside.size > 0);
    const next = clock.peek();
    if (next === undefined || next.time > end) break;
    clock.runNext();
  }
  clock.moveTo(end);
}
