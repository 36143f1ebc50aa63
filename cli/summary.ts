// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type ClusterModel, isObservation, type NodeModel, type Observation } from "./cluster_model.ts";
import { type StreamCount, streams } from "./judgement.ts";
import { formatTable } from "./table.ts";

/** More names than this are counted instead. */
const NAMES_MAX = 12;

/** Table of the nodes: the members that each lists, those that it sees up, and its traffic with those that are up. */
export function nodeTable(model: ClusterModel): string[] {
  const counts = streams(model);
  const heading = ["node", "state", "listens on", "members", "sees up", "sent", "received", "missing", "disordered"];
  return formatTable([heading, ...[...model.nodes.values()].map((node) => nodeRow(node, counts))]);
}

function nodeRow({ name, state, address, view }: NodeModel, counts: readonly StreamCount[]): (string | number)[] {
  const outgoing = counts.filter(({ sender }) => sender === name);
  const incoming = counts.filter(({ receiver }) => receiver === name);
  const isUp = state === "up" && view !== undefined;
  return [
    name,
    state,
    isUp ? address ?? "" : "",
    isUp ? nameList(Object.keys(view.members)) : "",
    isUp ? nameList(view.connected) : "",
    sum(outgoing.map(({ accepted }) => accepted)),
    sum(incoming.map(({ received }) => received)),
    sum(incoming.map(({ accepted, received }) => Math.max(0, accepted - received))),
    sum(incoming.map(({ disordered }) => disordered)),
  ];
}

/** Sightings of each node from `since` on, a line a node, with seconds since the beginning. */
export function sightings(model: ClusterModel, beginning: number, since: number): string[] {
  const seen = model.log.filter(isObservation).filter(({ at, kind }) => at >= since && toldKinds.has(kind));
  return [...model.nodes.keys()].map((name) => {
    const groups = groupSightings(seen.filter(({ observer }) => observer === name));
    const told = groups.map(({ at, kind, nodes }) => `${secondsSince(beginning, at)} ${nameList(nodes)} ${kind}`);
    return `${name}  ${told.join(", ") || "nothing"}`;
  });
}

const toldKinds: ReadonlySet<Observation["kind"]> = new Set(["up", "down", "join", "leave", "removed"]);
/** Time, in milliseconds, within which sightings of several others are told together. */
const GROUP_MS = 500;

interface SightingGroup {
  readonly at: number;
  readonly kind: Observation["kind"];
  readonly nodes: string[];
}

function groupSightings(seen: readonly Observation[]): SightingGroup[] {
  const groups: SightingGroup[] = [];
  for (const { at, kind, node = "itself" } of seen) {
    const group = groups.find((open) => open.kind === kind && at < open.at + GROUP_MS && !open.nodes.includes(node));
    if (group) group.nodes.push(node);
    else groups.push({ at, kind, nodes: [node] });
  }
  return groups;
}

/** Delays of sightings: each of a few nodes, or the range of many. */
export function delays(seen: readonly Observation[], since: number): string {
  if (seen.length === 0) return "none";
  if (seen.length <= NAMES_MAX) return seen.map(({ observer, at }) => `${observer} after ${at - since} ms`).join(", ");
  const times = seen.map(({ at }) => at - since);
  return `${seen.length} nodes after ${Math.min(...times)} to ${Math.max(...times)} ms`;
}

/** `3.2 s` */
export function secondsSince(beginning: number, at: number): string {
  return `${((at - beginning) / 1_000).toFixed(2)} s`;
}

/** Names in order; many of them are counted instead. */
export function nameList(names: readonly string[]): string {
  if (names.length === 0) return "none";
  return names.length > NAMES_MAX ? `${names.length} nodes` : [...names].sort().join(" ");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
