// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MessageStats } from "../messaging/message_stats.ts";
import type { RelayStats } from "../messaging/relaying.ts";
import type { OpenerStats } from "../connections/handshake/connection_opener.ts";
import type { TrustStats } from "../connections/renewal.ts";
import type { BroadcastStats } from "./broadcasting.ts";
import type { NodeContext } from "./node_context.ts";
import type { Node } from "./node.ts";
import type { StreamStats } from "./streaming.ts";
import { type Posture, postureOf } from "./posture.ts";

/** Counters of the connections with one peer. */
export interface PeerStats {
  /** Open connections: those of channels that were not used yet are opened when these are. */
  readonly connections: number;
  /** Bytes that wait to be sent to it. */
  readonly queuedBytes: number;
  /** Bytes received over the open connections, after their handshakes. */
  readonly bytesIn: number;
  /** Bytes sent over the open connections, after their handshakes. */
  readonly bytesOut: number;
  /** Frames that came from it. */
  readonly framesIn: number;
  /** Last measured round trip, in milliseconds. */
  readonly roundTrip: number | undefined;
}

/** Counters since the start, and the present state. */
export interface PeerServiceStats {
  /** Messages of users. */
  readonly messages: Readonly<MessageStats>;
  /** Counters of broadcasts. */
  readonly broadcasts: Readonly<BroadcastStats>;
  /** Messages that were passed on for others. */
  readonly relay: Readonly<RelayStats>;
  /** Streams that were dialed, accepted and refused. */
  readonly connections: Readonly<OpenerStats>;
  /** Bytes over all connections since the start, those that have closed included, handshakes not. */
  readonly bytes: { readonly in: number; readonly out: number };
  /** On which secrets and certificates the open connections stand. */
  readonly trust: TrustStats;
  /** Streams of users. */
  readonly streams: StreamStats;
  /** Protection of the node from those that reach its port. */
  readonly posture: Posture;
  /** Attempts to join that are under way. */
  readonly joining: number;
  /** Frames of unknown kinds, which were ignored. */
  readonly unknownFrames: number;
  /** Number of claims of others that were not believed: word of third nodes, and frames that are for members to send. */
  readonly ignoredWords: number;
  /** Each peer, by name. */
  readonly peers: Readonly<Record<string, PeerStats>>;
}

/** Takes the numbers together. */
export function nodeStats(node: Node): PeerServiceStats {
  const peers = [...node.pool.peers.values()].map((peer): [string, PeerStats] => {
    const connections = peer.connections();
    const total = (count: (connection: typeof connections[number]) => number) =>
      connections.reduce((sum, connection) => sum + count(connection), 0);
    return [peer.name, {
      connections: connections.filter(({ early }) => early === null).length,
      queuedBytes: total(({ queue }) => queue.queuedBytes),
      bytesIn: total((connection) => connection.bytesIn),
      bytesOut: total((connection) => connection.bytesOut),
      framesIn: peer.framesIn,
      roundTrip: peer.roundTrip,
    }];
  });
  return {
    messages: { ...node.messaging.stats },
    broadcasts: { ...node.messaging.broadcasting.stats },
    relay: { ...node.messaging.relaying.stats },
    connections: copyOf(node.pool.stats),
    bytes: bytesOf(node.context),
    trust: node.pool.renewal.stats,
    streams: node.streaming.stats,
    posture: postureOf(node.settings),
    joining: node.entry.pending,
    unknownFrames: node.router.unknownFrames,
    ignoredWords: node.refutation.ignored,
    peers: Object.fromEntries(peers),
  };
}

function copyOf(stats: Readonly<OpenerStats>): OpenerStats {
  const { refused, refusedThere, failed } = stats;
  return { ...stats, refused: { ...refused }, refusedThere: { ...refusedThere }, failed: { ...failed } };
}

function bytesOf({ pool: { peers, draining }, traffic }: NodeContext): { in: number; out: number } {
  const sum = { in: 0, out: 0 };
  for (const { bytesIn, bytesOut } of traffic.channels.values()) {
    sum.in += bytesIn;
    sum.out += bytesOut;
  }
  const open = [...peers.values()].flatMap((peer) => peer.connections());
  for (const { bytesIn, bytesOut } of [...open, ...draining]) {
    sum.in += bytesIn;
    sum.out += bytesOut;
  }
  return sum;
}
