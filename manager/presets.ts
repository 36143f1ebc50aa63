// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { BackoffOptions } from "../connections/dialer/backoff.ts";

/** A name for the network between the nodes. */
export type PresetName = "local" | "lan" | "wan";

/** Everything that depends on how far nodes are from each other. All times in milliseconds. */
export interface Preset {
  /** A silent node is suspected after `interval × missed`. */
  readonly heartbeat: {
    /** Between two heartbeats. */
    readonly interval: number;
    /** Heartbeats that may be missed in a row. */
    readonly missed: number;
  };
  /** Options of the spreading of the membership. */
  readonly gossip: {
    /** Between two digests. Nodes that direct messages missed are repaired in about log2(N) intervals. */
    readonly interval: number;
    /** Peers that a digest goes to. */
    readonly fanout: number;
  };
  /** Between two dials of a node that does not answer. */
  readonly backoff: BackoffOptions;
  /** Time that the side that need not dial gives the other one before it dials itself. */
  readonly courtesy: number;
  /** In which a connection must be open, handshake included. */
  readonly handshakeTimeout: number;
}

/** The three presets: one machine, one data centre, and the world. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  local: {
    heartbeat: { interval: 200, missed: 5 },
    gossip: { interval: 200, fanout: 2 },
    backoff: { initial: 20, cap: 500 },
    courtesy: 1_000,
    handshakeTimeout: 2_000,
  },
  lan: {
    heartbeat: { interval: 1_000, missed: 5 },
    gossip: { interval: 1_000, fanout: 2 },
    backoff: { initial: 50, cap: 2_000 },
    courtesy: 2_000,
    handshakeTimeout: 5_000,
  },
  wan: {
    heartbeat: { interval: 2_000, missed: 8 },
    gossip: { interval: 2_000, fanout: 3 },
    backoff: { initial: 200, cap: 10_000 },
    courtesy: 5_000,
    handshakeTimeout: 15_000,
  },
};
