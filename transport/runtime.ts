// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { LocalRuntime } from "../runtime/runtime.ts";
import type { Transport } from "./transport.ts";

/**
 * Everything that a peer service knows about the world outside its own state.
 * One manager runs unchanged over TCP in real time and over a simulated network
 * in virtual time, because it reaches both through this object only.
 */
export interface Runtime extends LocalRuntime {
  /** Transport to other nodes. */
  readonly transport: Transport;
}
