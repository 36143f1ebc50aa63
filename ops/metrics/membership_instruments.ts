// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceEventMap } from "../../manager/events.ts";
import type { MemberStatus } from "../../manager/member_status.ts";
import { Health } from "../health.ts";
import { byLabel, type Instrument, only } from "./instrument_types.ts";

const STATUSES: readonly MemberStatus[] = ["up", "suspect", "down"];

/** Each type of event, so that the compiler tells of one that is missing. */
const EVENTS: Readonly<Record<keyof PeerServiceEventMap, null>> = {
  up: null,
  down: null,
  join: null,
  leave: null,
  removed: null,
  suspect: null,
  partition: null,
  undeliverable: null,
  message: null,
  monitor: null,
  evicted: null,
  attribute: null,
  error: null,
  warning: null,
  trust: null,
};
const EVENT_TYPES = Object.keys(EVENTS) as (keyof PeerServiceEventMap)[];

const SOURCE_STATES = ["answered", "failing", "asking"] as const;

/** The node itself, who is in the cluster, and how that is found out. */
export const MEMBERSHIP_INSTRUMENTS: readonly Instrument[] = [
  {
    name: "partisan_info",
    type: "gauge",
    unit: "1",
    help: "Always 1; the labels say which node this is",
    labels: { node: "node", cluster: "node", strategy: "node" },
    read: ({ self, settings: { cluster, strategy } }) => [
      { labels: { node: self.name, cluster, strategy: strategy.name }, value: 1 },
    ],
  },
  {
    name: "partisan_start_time_seconds",
    type: "gauge",
    unit: "s",
    help: "When the present incarnation of the node began, in seconds since the epoch",
    labels: {},
    read: ({ self }) => only(self.incarnation / 1_000),
  },
  {
    name: "partisan_ready",
    type: "gauge",
    unit: "1",
    help: "Whether the node is ready, as /ready says: 1 or 0",
    labels: {},
    read: (node) => only(new Health(node).ready().every(({ ok }) => ok) ? 1 : 0),
  },
  {
    name: "partisan_event_loop_delay_seconds",
    type: "histogram",
    unit: "s",
    help: "How late the timer of the failure detector was: for how long something else held the event loop",
    labels: {},
    read: ({ liveness }) => [{ labels: {}, histogram: liveness.delay.histogram }],
  },
  {
    name: "partisan_members",
    type: "gauge",
    unit: "{member}",
    help: "Members of the cluster as this node sees them, itself included",
    labels: { status: STATUSES },
    read: ({ statuses }) => byLabel("status", STATUSES, (status) => statuses.names({ status }).length),
  },
  {
    name: "partisan_events_total",
    type: "counter",
    unit: "{event}",
    help: "Events of the node, whether or not they have a listener",
    labels: { type: EVENT_TYPES },
    read: ({ context: { events } }) => byLabel("type", EVENT_TYPES, (type) => events.get(type)),
  },
  {
    name: "partisan_discovery_sources",
    type: "gauge",
    unit: "{source}",
    help: "Sources of addresses, by what came of the last look-up",
    labels: { state: SOURCE_STATES },
    read: ({ discovering }) => {
      const states = discovering.status().map(({ at, error }) =>
        at === null ? "asking" : error === null ? "answered" : "failing"
      );
      return byLabel("state", SOURCE_STATES, (state) => states.filter((other) => other === state).length);
    },
  },
  {
    name: "partisan_round_trip_seconds",
    type: "histogram",
    unit: "s",
    help: "Round trips of pings to peers",
    labels: {},
    read: ({ pinger }) => [{ labels: {}, histogram: pinger.roundTrips }],
  },
  {
    name: "partisan_heartbeat_lateness_seconds",
    type: "gauge",
    unit: "s",
    help: "How much longer than a heartbeat interval the most silent of the watched nodes has not been heard",
    labels: {},
    read: ({ liveness }) => only(liveness.lateness() / 1_000),
  },
  {
    name: "partisan_suspicions_total",
    type: "counter",
    unit: "{suspicion}",
    help: "Nodes of which nothing was heard for too long, and about which others were asked",
    labels: {},
    read: ({ liveness }) => only(liveness.counts.suspect),
  },
  {
    name: "partisan_failures_detected_total",
    type: "counter",
    unit: "{failure}",
    help: "Nodes that were declared down because no node heard them, here or elsewhere",
    labels: {},
    read: ({ liveness }) => only(liveness.counts.down),
  },
  {
    name: "partisan_refutations_total",
    type: "counter",
    unit: "{refutation}",
    help: "Nodes that were heard again after they had been suspected or declared down",
    labels: {},
    read: ({ liveness: { counts } }) => only(counts.trusted + counts.up),
  },
  {
    name: "partisan_silent_links_total",
    type: "counter",
    unit: "{link}",
    help: "Connections over which nothing came although others heard the node: they are made anew",
    labels: {},
    read: ({ liveness }) => only(liveness.counts.silentLink),
  },
  {
    name: "partisan_injected_partitions",
    type: "gauge",
    unit: "{peer}",
    help: "Peers that an injected partition separates from this node",
    labels: {},
    read: ({ partitions }) => only(new Set(partitions.list().map(({ peer }) => peer)).size),
  },
];
