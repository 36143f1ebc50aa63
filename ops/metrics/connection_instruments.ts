// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../../connections/connection.ts";
import { DIAL_FAILURES } from "../../connections/dialer/dial_failure.ts";
import { REFUSAL_CODES } from "../../connections/handshake/refusal.ts";
import { OTHER_CHANNELS } from "../../connections/traffic.ts";
import type { Node } from "../../manager/node.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { byLabel, type Instrument, only, type Sample } from "./instrument_types.ts";

const UNFINISHED = ["timeout", "overloaded", "protocol"] as const;

/** Kinds of frames that nodes send on their own account. */
const CONTROL_KINDS = {
  membership: FrameKind.strategy,
  heartbeat: FrameKind.heartbeat,
  attributes: FrameKind.attributes,
  broadcast: FrameKind.broadcast,
  relay: FrameKind.relay,
  partition: FrameKind.partition,
} as const;
const CONTROL_NAMES = Object.keys(CONTROL_KINDS) as (keyof typeof CONTROL_KINDS)[];

/** Instruments of the movement of bytes: connections, handshakes, queues and traffic. */
export const CONNECTION_INSTRUMENTS: readonly Instrument[] = [
  {
    name: "partisan_connections",
    type: "gauge",
    unit: "{connection}",
    help: "Open connections",
    labels: { channel: "channels" },
    read: (node) => byChannel(node, ({ early }) => early === null ? 1 : 0),
  },
  {
    name: "partisan_connections_target",
    type: "gauge",
    unit: "{connection}",
    help: "Connections that there should be with the peers that the strategy wants",
    labels: { channel: "channels" },
    read: targets,
  },
  {
    name: "partisan_accepted_total",
    type: "counter",
    unit: "{stream}",
    help: "Streams that were accepted, whatever became of them",
    labels: {},
    read: ({ pool }) => only(pool.stats.accepted),
  },
  {
    name: "partisan_dials_total",
    type: "counter",
    unit: "{dial}",
    help: "Dials that were begun",
    labels: {},
    read: ({ pool }) => only(pool.stats.dials),
  },
  {
    name: "partisan_dial_failures_total",
    type: "counter",
    unit: "{dial}",
    help: "Dials that led to no connection, and were not refused",
    labels: { reason: DIAL_FAILURES },
    read: ({ pool }) => byLabel("reason", DIAL_FAILURES, (reason) => pool.stats.failed[reason]),
  },
  {
    name: "partisan_dial_refusals_total",
    type: "counter",
    unit: "{dial}",
    help: "Dials that the other node refused, or this one when it saw who answered",
    labels: { reason: REFUSAL_CODES },
    read: ({ pool }) => byLabel("reason", REFUSAL_CODES, (reason) => pool.stats.refusedThere[reason]),
  },
  {
    name: "partisan_refused_total",
    type: "counter",
    unit: "{stream}",
    help: "Dialers that this node refused",
    labels: { reason: REFUSAL_CODES },
    read: ({ pool }) => byLabel("reason", REFUSAL_CODES, (reason) => pool.stats.refused[reason]),
  },
  {
    name: "partisan_handshakes_unfinished_total",
    type: "counter",
    unit: "{handshake}",
    help: "Handshakes that came to nothing: too slow, too many at a time, or not how nodes speak",
    labels: { reason: UNFINISHED },
    read: ({ pool: { stats } }) => {
      const { handshakeTimeouts: timeout, overloaded, protocolErrors: protocol } = stats;
      const counts = { timeout, overloaded, protocol };
      return byLabel("reason", UNFINISHED, (reason) => counts[reason]);
    },
  },
  {
    name: "partisan_handshake_seconds",
    type: "histogram",
    unit: "s",
    help: "Handshakes that succeeded, from the open stream on",
    labels: { role: ["dialer", "acceptor"] },
    read: ({ context: { traffic: { handshakes: { dialer, acceptor } } } }) => [
      { labels: { role: "dialer" }, histogram: dialer },
      { labels: { role: "acceptor" }, histogram: acceptor },
    ],
  },
  {
    name: "partisan_connections_on_old_keys",
    type: "gauge",
    unit: "{connection}",
    help: "Open connections that still stand on secrets or certificates that were replaced",
    labels: {},
    read: ({ pool }) => only(pool.renewal.stats.former),
  },
  {
    name: "partisan_queue_bytes",
    type: "gauge",
    unit: "By",
    help: "Bytes that wait to be sent",
    labels: { channel: "channels" },
    read: (node) => byChannel(node, ({ queue }) => queue.queuedBytes),
  },
  {
    name: "partisan_queue_wait_seconds",
    type: "histogram",
    unit: "s",
    help: "How long a batch of frames waited until the socket had taken it, from its first frame on",
    labels: { channel: "channels" },
    read: ({ context: { traffic } }) =>
      [...traffic.channels].map(([channel, { waits }]) => ({ labels: { channel }, histogram: waits })),
  },
  {
    name: "partisan_bytes_total",
    type: "counter",
    unit: "By",
    help: "Bytes over all connections, those that have closed included, handshakes not",
    labels: { channel: "channels", direction: ["in", "out"] },
    read: (node) => [
      ...bytes(node, "in"),
      ...bytes(node, "out"),
    ],
  },
  {
    name: "partisan_control_bytes_total",
    type: "counter",
    unit: "By",
    help: "Bytes of what nodes say to each other on their own account, before compression",
    labels: { direction: ["in", "out"], kind: CONTROL_NAMES },
    read: ({ router, context: { traffic } }) =>
      CONTROL_NAMES.flatMap((kind) => [
        { labels: { direction: "in", kind }, value: router.bytes[CONTROL_KINDS[kind]]! },
        { labels: { direction: "out", kind }, value: traffic.valueBytes[CONTROL_KINDS[kind]]! },
      ]),
  },
  {
    name: "partisan_unknown_frames_total",
    type: "counter",
    unit: "{frame}",
    help: "Frames of kinds that this release does not know, which were ignored",
    labels: {},
    read: ({ router }) => only(router.unknownFrames),
  },
  {
    name: "partisan_ignored_words_total",
    type: "counter",
    unit: "{word}",
    help: "What others said that was not theirs to say, and was not believed",
    labels: {},
    read: ({ refutation }) => only(refutation.ignored),
  },
];

function openConnections({ pool: { peers, draining } }: Node): Connection[] {
  return [...[...peers.values()].flatMap((peer) => peer.connections()), ...draining];
}

/** Sums over the open connections of each channel. */
function byChannel(node: Node, valueOf: (connection: Connection) => number): Sample[] {
  const sums = emptySums(node);
  for (const connection of openConnections(node)) add(sums, connection.channel, valueOf(connection));
  return samplesOf(sums);
}

function targets(node: Node): Sample[] {
  const sums = emptySums(node);
  for (const peer of node.pool.peers.values()) {
    if (!peer.wanted) continue;
    for (const { channel, early, mute } of peer.connections()) if (early === null && !mute) add(sums, channel, 1);
    for (const { channel } of peer.gaps()) add(sums, channel, 1);
  }
  return samplesOf(sums);
}

function bytes(node: Node, direction: "in" | "out"): Sample[] {
  const counter = direction === "in" ? "bytesIn" : "bytesOut";
  const sums = emptySums(node);
  for (const [channel, traffic] of node.context.traffic.channels) add(sums, channel, traffic[counter]);
  for (const connection of openConnections(node)) add(sums, connection.channel, connection[counter]);
  return samplesOf(sums).map(({ labels, value }) => ({ labels: { ...labels, direction }, value }));
}

function emptySums({ context: { traffic } }: Node): Map<string, number> {
  return new Map(Array.from(traffic.channels.keys(), (channel) => [channel, 0]));
}

function add(sums: Map<string, number>, channel: string, value: number): void {
  const name = sums.has(channel) ? channel : OTHER_CHANNELS;
  sums.set(name, sums.get(name)! + value);
}

function samplesOf(sums: ReadonlyMap<string, number>): Sample[] {
  return Array.from(sums, ([channel, value]) => ({ labels: { channel }, value }));
}
