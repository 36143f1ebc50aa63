// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { ConnectionPoolHandler, ConnectionPoolOptions } from "../connections/connection_pool_options.ts";
import { DEFAULT_CHANNEL, MEMBERSHIP_CHANNEL } from "../connections/peer.ts";
import { agreesOnCompression } from "../connections/compression.ts";
import type { Credentials } from "../connections/handshake/session.ts";
import { CONTROL_FRAME_BYTES } from "../wire/frame_kind.ts";
import type { LocalHealth } from "../runtime/local_health.ts";
import { own } from "../wire/own.ts";
import type { Traffic } from "../connections/traffic.ts";
import { WriterPool } from "../connections/writer_pool.ts";
import type { Settings } from "./settings.ts";

/** Most accepted streams that may be without a finished handshake at a time. */
const HALF_OPEN_MAX = 1_024;

/** Milliseconds for which connections outlive the interest in them, so that the last word still arrives. */
export const IDLE_GRACE_MS = 5_000;

/** Bytes that keep a socket busy while its sender is being woken; more of them would only fall out of the processor's cache. */
const HIGH_WATER_MARK_MAX = 256 * 1024;

/** Options of the connection pool that follow from the settings of a node. */
export function poolOptions(
  settings: Settings,
  credentials: Credentials,
  self: () => NodeSpec,
  identify: ConnectionPoolOptions["identify"],
  handler: ConnectionPoolHandler,
  refused: ConnectionPoolOptions["refused"],
  traffic: Traffic,
  health: LocalHealth,
): ConnectionPoolOptions {
  const { runtime, cluster, strategy, backoff, courtesy, handshakeTimeout, maxFrameBytes, heartbeat } = settings;
  const writers = new WriterPool();
  return {
    runtime,
    identity: { cluster, strategy: strategy.name, ...credentials, maxFrameBytes },
    writers,
    refused,
    handshakes: traffic.handshakes,
    health,
    self,
    identify,
    connectionOptions: (channel, peer) => {
      const maxQueuedBytes = own(settings.maxQueuedBytes, channel) ?? settings.maxQueuedBytes[DEFAULT_CHANNEL]!;
      const compression = agreesOnCompression(own(settings.channels, channel), own(peer.channels, channel));
      const highWaterMark = Math.min(maxQueuedBytes / 4, HIGH_WATER_MARK_MAX);
      const leastFrameBytes = channel === MEMBERSHIP_CHANNEL ? CONTROL_FRAME_BYTES : 0;
      return { maxFrameBytes, leastFrameBytes, maxQueuedBytes, highWaterMark, compression, writers, traffic };
    },
    mayDial: settings.allow.mayDial,
    backoff,
    courtesy,
    handshakeTimeout,
    silence: heartbeat.interval * heartbeat.missed,
    interval: heartbeat.interval,
    idleGrace: IDLE_GRACE_MS,
    halfOpenMax: HALF_OPEN_MAX,
    halfReadMax: Math.max(maxFrameBytes, CONTROL_FRAME_BYTES),
    handler,
  };
}
