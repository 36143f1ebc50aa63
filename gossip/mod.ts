// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Spreading of state and liveness through the cluster.
 *
 * {@linkcode Heartbeat} is the failure detector that every node runs. It does no input or output, so that it can be used, and tested, by itself.
 *
 * @example A detector by itself
 * ```ts
 * import { Heartbeat } from "@partisan/peer-service/gossip";
 * import { assertEquals } from "@std/assert";
 *
 * const detector = new Heartbeat({ self: { name: "a", incarnation: 1 }, interval: 1_000, missed: 5 }, 0);
 * const peers = new Map([["b", { incarnation: 1, connected: true, heardAt: 0 }]]);
 * detector.setPeers(peers.keys());
 * detector.peerConnected("b", { now: 0, random: () => 0.5, peers });
 *
 * const events = [];
 * for (let now = 250; now <= 6_000; now += 250) {
 *   events.push(...detector.tick({ now, random: () => 0.5, peers }).events);
 * }
 * assertEquals(events.map(({ type }) => type), ["suspect", "down"]);
 * ```
 *
 * @module
 */

export { Heartbeat } from "./heartbeat.ts";
export {
  type HeartbeatEnv,
  type HeartbeatEvent,
  type HeartbeatOptions,
  type HeartbeatOutgoing,
  type HeartbeatOutput,
  type HeartbeatPeer,
} from "./heartbeat_types.ts";
export {
  type AliveMessage,
  type DeadMessage,
  type HeartbeatCounter,
  type HeartbeatMessage,
  HeartbeatWord,
  type ProbeReport,
  type ProbeRequest,
  type WatchRequest,
} from "./heartbeat_message.ts";
export type { NodeIncarnation } from "../wire/node_spec.ts";
