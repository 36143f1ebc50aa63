// Copyright 2026 the Partisan peer-service authors. MIT license.

import { byLabel, type Instrument, only } from "./instrument_types.ts";

const DIRECTIONS = ["in", "out"] as const;
const LOSSES = ["dropped", "superseded", "unhandled"] as const;
const OUTCOMES = ["ok", "error"] as const;
const COPIES = ["new", "redundant"] as const;
const PASSED = ["passed", "lost"] as const;

/** Instruments of messages. */
export const MESSAGE_INSTRUMENTS: readonly Instrument[] = [
  {
    name: "partisan_messages_total",
    type: "counter",
    unit: "{message}",
    help: "Messages handed to handlers here (in), and accepted for sending (out)",
    labels: { direction: DIRECTIONS },
    read: ({ messaging: { stats: { delivered, sent } } }) =>
      byLabel("direction", DIRECTIONS, (direction) => direction === "in" ? delivered : sent),
  },
  {
    name: "partisan_messages_lost_total",
    type: "counter",
    unit: "{message}",
    help:
      "Messages that were dropped here, that a newer one took the place of on a monotonic channel, or that had no handler",
    labels: { reason: LOSSES },
    read: ({ messaging: { stats } }) => byLabel("reason", LOSSES, (reason) => stats[reason]),
  },
  {
    name: "partisan_handler_failures_total",
    type: "counter",
    unit: "{message}",
    help: "Messages whose handler threw or rejected, or that could not be decoded",
    labels: {},
    read: ({ messaging: { stats } }) => only(stats.failed),
  },
  {
    name: "partisan_handlers_pending",
    type: "gauge",
    unit: "{message}",
    help: "Promises of handlers that have not settled",
    labels: {},
    read: ({ messaging: { registry: { workload } } }) => only(workload.pending),
  },
  {
    name: "partisan_handlers_waiting",
    type: "gauge",
    unit: "{message}",
    help: "Messages that wait until their handler has room",
    labels: {},
    read: ({ messaging: { registry: { workload } } }) => only(workload.waiting),
  },
  {
    name: "partisan_overloaded_total",
    type: "counter",
    unit: "{message}",
    help: "Messages and calls that were refused here for want of room",
    labels: {},
    read: ({ messaging: { stats } }) => only(stats.overloaded),
  },
  {
    name: "partisan_acknowledgements_outstanding",
    type: "gauge",
    unit: "{message}",
    help: "Messages that were sent and not acknowledged yet",
    labels: {},
    read: ({ messaging: { reliableSender } }) => only(reliableSender.outstanding),
  },
  {
    name: "partisan_retransmissions_total",
    type: "counter",
    unit: "{message}",
    help: "Transmissions of messages that had not been acknowledged in time",
    labels: {},
    read: ({ messaging: { stats } }) => only(stats.repeated),
  },
  {
    name: "partisan_acknowledgements_expired_total",
    type: "counter",
    unit: "{message}",
    help: "Messages that were given up because their deadline passed without an acknowledgement",
    labels: {},
    read: ({ messaging: { stats } }) => only(stats.expired),
  },
  {
    name: "partisan_duplicates_total",
    type: "counter",
    unit: "{message}",
    help: "Repetitions that came although the first transmission had come: they are not handled again",
    labels: {},
    read: ({ messaging: { stats } }) => only(stats.duplicates),
  },
  {
    name: "partisan_calls_in_flight",
    type: "gauge",
    unit: "{call}",
    help: "Calls from here that wait for their replies",
    labels: {},
    read: ({ messaging: { calls } }) => only(calls.pending),
  },
  {
    name: "partisan_requests_in_flight",
    type: "gauge",
    unit: "{call}",
    help: "Calls that are being answered here",
    labels: {},
    read: ({ messaging: { calls } }) => only(calls.answering),
  },
  {
    name: "partisan_call_seconds",
    type: "histogram",
    unit: "s",
    help: "How long calls from here took, those that failed or were given up apart",
    labels: { outcome: OUTCOMES },
    read: ({ messaging: { calls: { durations } } }) =>
      OUTCOMES.map((outcome) => ({ labels: { outcome }, histogram: durations[outcome] })),
  },
  {
    name: "partisan_broadcasts_total",
    type: "counter",
    unit: "{broadcast}",
    help: "Broadcasts that were begun here",
    labels: {},
    read: ({ messaging: { broadcasting } }) => only(broadcasting.stats.begun),
  },
  {
    name: "partisan_broadcast_copies_total",
    type: "counter",
    unit: "{copy}",
    help: "Copies of broadcasts of others that came here: new ones, and those of what was here already",
    labels: { copy: COPIES },
    read: ({ messaging: { broadcasting: { stats: { delivered, redundant } } } }) =>
      byLabel("copy", COPIES, (copy) => copy === "new" ? delivered : redundant),
  },
  {
    name: "partisan_broadcast_repairs_total",
    type: "counter",
    unit: "{broadcast}",
    help: "Broadcasts that did not come along the tree, and were asked for",
    labels: { how: ["exchange", "graft"] },
    read: ({ messaging: { broadcasting: { stats: { repaired, grafts } } } }) => [
      { labels: { how: "exchange" }, value: repaired },
      { labels: { how: "graft" }, value: grafts },
    ],
  },
  {
    name: "partisan_causal_backlog",
    type: "gauge",
    unit: "{message}",
    help: "Messages that wait for others that come before them in a causal order",
    labels: {},
    read: ({ messaging }) => only(messaging.causalBacklog),
  },
  {
    name: "partisan_relayed_total",
    type: "counter",
    unit: "{message}",
    help: "Messages that others sent by way of this node: passed on, or lost here",
    labels: { result: PASSED },
    read: ({ messaging: { relaying: { stats: { relayed, lost } } } }) =>
      byLabel("result", PASSED, (result) => result === "passed" ? relayed : lost),
  },
  {
    name: "partisan_streams",
    type: "gauge",
    unit: "{stream}",
    help: "Streams that are open, those of this node with itself counted at both ends",
    labels: {},
    read: ({ streaming }) => only(streaming.stats.open),
  },
  {
    name: "partisan_stream_held_bytes",
    type: "gauge",
    unit: "By",
    help: "Bytes of streams that came in and were not read",
    labels: {},
    read: ({ streaming }) => only(streaming.stats.heldBytes),
  },
];
