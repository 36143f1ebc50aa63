// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../../runtime/runtime.ts";
import { SeededRandom } from "../../testing/seeded_random.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";

/** A runtime without a network, whose time only the test moves. */
export interface BareRuntime extends Runtime {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
}

/** Makes one. */
export function bareRuntime(seed = 1): BareRuntime {
  const unreachable = () => Promise.reject(new Error("There is no network"));
  return {
    clock: new VirtualClock(),
    random: new SeededRandom(seed),
    transport: { listen: unreachable, connect: unreachable },
    defer: queueMicrotask,
    outside: (operation) => operation,
  };
}

/** Lets virtual time pass, and what becomes due in it happen. */
export async function pass(clock: VirtualClock, milliseconds: number): Promise<void> {
  const end = clock.now() + milliseconds;
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    const next = clock.peek();
    if (next === undefined || next.time > end) break;
    clock.runNext();
  }
  clock.moveTo(end);
}
