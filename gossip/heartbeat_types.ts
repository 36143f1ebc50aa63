// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkRequired, NUMBER, OBJECT, type OptionKinds } from "../runtime/options.ts";
import type { NodeIncarnation } from "../wire/node_spec.ts";
import { isIntegerIn } from "../wire/integers.ts";
import type { HeartbeatMessage } from "./heartbeat_message.ts";

/** Options of the failure detector. */
export interface HeartbeatOptions {
  /** The node on which this detector runs. */
  readonly self: NodeIncarnation;
  /**
   * Milliseconds between two heartbeats.
   *
   * @default {1000}
   */
  readonly interval?: number | undefined;
  /**
   * Beats that must be missed in a row before a node is suspected, at least 2. Silence is borne for
   * `interval × missed`.
   *
   * @default {5}
   */
  readonly missed?: number | undefined;
  /**
   * Nodes that watch one node, at most. A node sends, and receives, so many heartbeats per interval.
   *
   * @default {10}
   */
  readonly watchers?: number | undefined;
  /**
   * Other watchers that must be without a sign of life as well before a suspect is declared down; all there are
   * when there are fewer.
   *
   * @default {2}
   */
  readonly indirectProbes?: number | undefined;
  /**
   * Random peers to which a node passes on a dead message that it accepts.
   *
   * @default {3}
   */
  readonly fanout?: number | undefined;
}

const ACTION = "Cannot detect failures";
const KINDS: OptionKinds<HeartbeatOptions> = {
  self: OBJECT,
  interval: NUMBER,
  missed: NUMBER,
  watchers: NUMBER,
  indirectProbes: NUMBER,
  fanout: NUMBER,
};

/** State of a peer that the caller knows. Read afresh at each call, so its fields may be getters or change in place. */
export interface HeartbeatPeer {
  /** The incarnation that the connection belongs to, or the newest known one when there is none. */
  readonly incarnation: number;
  /** Whether heartbeat messages can be sent to it now. Stays true while the connection is silent. */
  readonly connected: boolean;
  /** Time at which the last frame of any kind came from it, handshake included, on the clock of `now`; -Infinity for never. */
  readonly heardAt: number;
}

/** The world at the time of a call. */
export interface HeartbeatEnv {
  /** Milliseconds on the local monotonic clock. */
  readonly now: number;
  /** A number in [0, 1). The only source of chance. */
  readonly random: () => number;
  /** Every node that is connected or that this node wants to be connected with, by name; never this node. */
  readonly peers: ReadonlyMap<string, HeartbeatPeer>;
  /**
   * So many times as long this node bears silence, 1 or more: one that is late itself must not blame others (Lifeguard's local health multiplier).
   *
   * @default {1}
   */
  readonly patience?: number | undefined;
}

/** A message to send on the membership channel. */
export interface HeartbeatOutgoing {
  /** The name of a connected peer. */
  readonly to: string;
  /** A plain value, for MessagePack. */
  readonly message: HeartbeatMessage;
}

/** Something that became known about a node. */
export interface HeartbeatEvent {
  /**
   * - `"suspect"`: nothing was heard of this watched node for `interval × missed`; others are being asked. It is one until
   *   `"trusted"`, `"down"`, or the watch over it ends because its connection closes or another node takes over.
   * - `"silentLink"`: others do hear the suspect: only the connection from it to this node is bad, so dial it again.
   *   Repeated about every `interval × missed` while that lasts.
   * - `"trusted"`: the suspect was heard again, without having been declared down.
   * - `"down"`: the node is declared down.
   * - `"up"`: it was declared down, and is alive. Each `"down"` is followed by one `"up"` at most, before the next.
   * - `"accused"`: this node itself is held for dead by another one, or was; it refutes that.
   */
  readonly type: "suspect" | "silentLink" | "trusted" | "down" | "up" | "accused";
  /** The node's name. */
  readonly node: string;
  /** The incarnation of it that is meant. */
  readonly incarnation: number;
  /** The newest counter known of that incarnation. */
  readonly counter: number;
}

/** Actions to take after a call, in order. */
export interface HeartbeatOutput {
  /** Messages to send. */
  readonly outgoing: readonly HeartbeatOutgoing[];
  /** News for this node. */
  readonly events: readonly HeartbeatEvent[];
}

/** {@linkcode HeartbeatOptions} with every default filled in, and what follows from them. */
export interface HeartbeatSettings {
  readonly self: NodeIncarnation;
  readonly interval: number;
  readonly watchers: number;
  readonly indirectProbes: number;
  readonly fanout: number;
  /** Milliseconds of silence that are borne. */
  readonly limit: number;
  /** Milliseconds of silence after which others are asked quietly, so that what they know has spread by the limit. */
  readonly unease: number;
}

/**
 * Fills in the defaults.
 *
 * @throws {TypeError | RangeError} When an option can be none.
 */
export function heartbeatSettings(options: HeartbeatOptions): HeartbeatSettings {
  const given = checkRequired(ACTION, options, KINDS, "self");
  const { self, interval = 1000, missed = 5, watchers = 10, indirectProbes = 2, fanout = 3 } = given;
  if (!(interval > 0 && interval < Infinity)) {
    throw new RangeError(`${ACTION}: "interval" is ${interval}, expected a positive number`);
  }
  checkCount("missed", missed, 2);
  checkCount("watchers", watchers, 1);
  checkCount("indirectProbes", indirectProbes, 0);
  checkCount("fanout", fanout, 0);
  const limit = interval * missed;
  return { self, interval, watchers, indirectProbes, fanout, limit, unease: limit * 0.8 };
}

function checkCount(name: string, value: number, least: number): void {
  if (isIntegerIn(value, least)) return;
  throw new RangeError(`${ACTION}: "${name}" is ${value}, expected an integer of at least ${least}`);
}
