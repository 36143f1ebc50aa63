// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MemoryNetworkEvent } from "../transport/memory/memory_stream.ts";

/** Something that happened in a simulated world. */
export interface SimulatedEvent {
  /** Milliseconds of virtual time since the world began. */
  readonly time: number;
  /** Kind of the event: the first five reached the machine of `node`, the others happened on it. */
  readonly kind: MemoryNetworkEvent | "timer" | "pause" | "resume" | "crash" | "start";
  /** Node of the event. */
  readonly node: string;
  /** The host that sent it, if it came over the network. */
  readonly from?: string;
  /** Number of bytes that arrived. */
  readonly bytes: number;
}

/** Number of each kind in the history: changing one changes every history hash. */
export const EVENT_NUMBERS = {
  timer: 1,
  connect: 2,
  refused: 3,
  data: 4,
  end: 5,
  reset: 6,
  pause: 7,
  resume: 8,
  crash: 9,
  start: 10,
} as const satisfies Record<SimulatedEvent["kind"], number>;
