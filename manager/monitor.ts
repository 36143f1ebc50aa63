// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { HandlerFate } from "../messaging/monitors.ts";
import type { ServerRef } from "./forward_options.ts";

/**
 * Reason for which a monitored handler is gone:
 *
 * - `not_registered`: there was none when it was asked for.
 * - `unregistered`: it was taken back.
 * - `down`: its node cannot be reached, or could not reach this one; over a partial view also when it is no neighbour any more.
 * - `left`: its node is no member.
 * - `demonitored`: the monitor was closed.
 */
export type MonitorReason = HandlerFate | "left";

/** Options of a monitor. */
export interface MonitorOptions {
  /**
   * The channel of whose messages the word comes last: what the handler's node sent there to this node before the handler was gone has been
   * handed over before.
   *
   * @default {none: the word comes as soon as it can}
   */
  readonly channel?: string | undefined;
}

/** The end of a monitored handler. */
export interface MonitorDown extends ServerRef {
  /** Reason of its end. */
  readonly reason: MonitorReason;
}

/** A watch over a handler. Disposing it is the same as `demonitor`. */
export interface Monitor extends Disposable {
  /** The handler. */
  readonly ref: ServerRef;
  /** Resolves once, when the handler is gone or the monitor is ended. Never rejects. */
  readonly down: Promise<MonitorDown>;
}

/** A node that came or went. */
export interface NodeStatus {
  /** The node. */
  readonly node: string;
  /** Whether it can be reached now. */
  readonly status: "up" | "down";
  /** Reason, in a few words, as in `memberInfo`. */
  readonly reason: string;
}
