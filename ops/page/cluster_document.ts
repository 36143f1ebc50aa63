// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Sight that one node has of another one: `u` connected, `s` connected and in doubt, `d` out of reach, `-` it has no reason to
 * be connected.
 */
export type Sight = "u" | "s" | "d" | "-";

/** View of one node: itself, and its sight of others. */
export interface NodeView {
  /** By the name of the other node. One that is not named has no connection with this one. */
  readonly sees: Readonly<Record<string, Sight>>;
  /** Last measured round trips, in milliseconds, by the name of the other node. */
  readonly roundTrips: Readonly<Record<string, number>>;
  /** Bytes that wait to be sent. */
  readonly queuedBytes: number;
  /** Messages sent since the start. */
  readonly sent: number;
  /** Messages delivered since the start. */
  readonly delivered: number;
  /** Bytes received since the start. */
  readonly bytesIn: number;
  /** Bytes sent since the start. */
  readonly bytesOut: number;
  /** Names of its handlers. */
  readonly handlers: readonly string[];
}

/** One node, as the page shows it. */
export interface NodeRow {
  readonly name: string;
  /** Decides the colour. */
  readonly status: "up" | "suspect" | "down";
  /** In a word, where that is more than the status. */
  readonly state: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string;
  readonly addresses: readonly string[];
  /** Attributes of the node, except for its groups. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Groups that it is in, each once; with the scope, where that is not the usual one. */
  readonly groups: readonly string[];
  /** Names of the actions on the node. */
  readonly actions: readonly string[];
  /** View of the node; `null` when it has not answered. */
  readonly view: NodeView | null;
}

/** All that the page shows at one moment. */
export interface ClusterDocument {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly title: string;
  /** Name of the node that is asked; `null` when none of them is. */
  readonly self: string | null;
  /** Whether every node should see every other one. */
  readonly isFullMesh: boolean;
  /** Sorted by name. */
  readonly nodes: readonly NodeRow[];
  /** Names of the actions without a node. */
  readonly actions: readonly string[];
}

/**
 * Reads what another node says of itself. It is shown to people, so what does not fit is left out rather than refused.
 *
 * @returns `null` when it is nothing of the kind.
 */
export function nodeViewFrom(value: unknown): NodeView | null {
  if (typeof value !== "object" || value === null) return null;
  const { sees, roundTrips, handlers, ...counts } = value as Record<string, unknown>;
  const count = (name: string) => typeof counts[name] === "number" ? counts[name] as number : 0;
  return {
    sees: chosen(sees, (sight): sight is Sight => typeof sight === "string" && "usd-".includes(sight)),
    roundTrips: chosen(roundTrips, (time): time is number => typeof time === "number"),
    queuedBytes: count("queuedBytes"),
    sent: count("sent"),
    delivered: count("delivered"),
    bytesIn: count("bytesIn"),
    bytesOut: count("bytesOut"),
    handlers: Array.isArray(handlers) ? handlers.filter((name) => typeof name === "string") : [],
  };
}

function chosen<T>(value: unknown, fits: (part: unknown) => part is T): Record<string, T> {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, T] => fits(entry[1])));
}
