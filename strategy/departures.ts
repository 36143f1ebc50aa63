// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";
import type { StrategyContext } from "./strategy.ts";
import { memberSince, type NodeIncarnation, type NodeSpec } from "../wire/node_spec.ts";
import { checkInteger, checkName, checkObject } from "../wire/node_spec_check.ts";

/** That an incarnation of a node is over, and all earlier ones with it. */
export interface Departure extends NodeIncarnation {
  /** Whether it left or was removed, as opposed to followed by a later incarnation. */
  readonly isRemoval: boolean;
}

/**
 * The departures of late, by name. A partial view has no record of the whole membership, so a node that left could
 * come back with a list that was under way meanwhile; this memory stops it.
 */
export type Departures = ReadonlyMap<string, {
  /** The last incarnation that is over. */
  readonly over: number;
  /** The last incarnation that left or was removed; -1 if there is none. Whatever goes on with it has left as well. */
  readonly removed: number;
}>;

/** Maximum of remembered names; the oldest go first. */
export const DEPARTURES_MAX = 1_024;
const LATEST_MAX = 16;

/**
 * The departure of a node that leaves, or is removed.
 *
 * @example A node leaves
 * ```ts
 * import { removalOf } from "@partisan/peer-service/strategy";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(removalOf({ name: "a", incarnation: 7 }), { name: "a", incarnation: 7, isRemoval: true });
 * ```
 */
export function removalOf({ name, incarnation }: Pick<NodeSpec, "name" | "incarnation">): Departure {
  return { name, incarnation, isRemoval: true };
}

/**
 * Departure of that incarnation of a node; `undefined` when it is not over.
 *
 * @example A later incarnation is followed up
 * ```ts
 * import { departureOf, withDeparture } from "@partisan/peer-service/strategy";
 * import { assertEquals } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = (name: string, incarnation = 1) => ({
 *   name,
 *   incarnation,
 *   addresses: [],
 *   channels: { default: plain, membership: plain },
 *   metadata: {},
 * });
 * const departures = withDeparture(new Map(), { name: "a", incarnation: 1, isRemoval: false });
 * assertEquals(departureOf(departures, spec("a", 1))?.isRemoval, false);
 * assertEquals(departureOf(departures, spec("a", 2)), undefined);
 * ```
 */
export function departureOf(departures: Departures, node: NodeSpec): Departure | undefined {
  const { name } = node;
  const known = departures.get(name);
  if (known === undefined) return undefined;
  if (known.removed >= memberSince(node)) return { name, incarnation: known.removed, isRemoval: true };
  return known.over >= node.incarnation ? { name, incarnation: known.over, isRemoval: false } : undefined;
}

/**
 * Whether that incarnation of the node is over.
 *
 * @example What is over does not come back
 * ```ts
 * import { hasDeparted, removalOf, withDeparture } from "@partisan/peer-service/strategy";
 * import { assert, assertFalse } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = (name: string, incarnation = 1) => ({
 *   name,
 *   incarnation,
 *   addresses: [],
 *   channels: { default: plain, membership: plain },
 *   metadata: {},
 * });
 * const departures = withDeparture(new Map(), removalOf(spec("a", 1)));
 * assert(hasDeparted(departures, spec("a", 1)));
 * assertFalse(hasDeparted(departures, spec("a", 2)));
 * ```
 */
export function hasDeparted(departures: Departures, node: NodeSpec): boolean {
  return departureOf(departures, node) !== undefined;
}

/** Whether a departure ends that incarnation of the node. */
export function isEndOf({ name, incarnation, isRemoval }: Departure, node: NodeSpec): boolean {
  return name === node.name && incarnation >= (isRemoval ? memberSince(node) : node.incarnation);
}

/**
 * Whether a departure can be believed: no incarnation is far in the future, and a node that is connected shows by being there that no later
 * incarnation has followed it. That it was removed it cannot know better.
 */
export function isCredible({ name, incarnation, isRemoval }: Departure, context: StrategyContext): boolean {
  if (incarnation > (context.incarnationMax ?? Infinity)) return false;
  const present = context.connected.has(name) ? context.incarnationOf?.(name) : undefined;
  return present === undefined || incarnation < present || (isRemoval && incarnation === present);
}

/** Whether a node that another one spoke of can be there in that incarnation. */
export function canBe({ name, incarnation }: NodeSpec, context: StrategyContext): boolean {
  if (incarnation > (context.incarnationMax ?? Infinity)) return false;
  const present = context.connected.has(name) ? context.incarnationOf?.(name) : undefined;
  return present === undefined || incarnation <= present;
}

/**
 * Remembers a departure. These very departures when it is no news.
 *
 * @example News, and no news
 * ```ts
 * import { removalOf, withDeparture } from "@partisan/peer-service/strategy";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const once = withDeparture(new Map(), removalOf({ name: "a", incarnation: 1 }));
 * assertEquals([...once.keys()], ["a"]);
 * assert(withDeparture(once, removalOf({ name: "a", incarnation: 1 })) === once);
 * ```
 */
export function withDeparture(departures: Departures, { name, incarnation, isRemoval }: Departure): Departures {
  const { over, removed } = departures.get(name) ?? { over: -1, removed: -1 };
  const next = { over: Math.max(over, incarnation), removed: isRemoval ? Math.max(removed, incarnation) : removed };
  if (next.over === over && next.removed === removed) return departures;
  const map = new Map(departures);
  map.delete(name);
  map.set(name, next);
  forgetOldest(map, DEPARTURES_MAX);
  return map;
}

/** The departures as a list. */
export function departuresToList(departures: Departures): Departure[] {
  return [...departures].flatMap(([name, { over, removed }]) => [
    ...(removed >= 0 ? [{ name, incarnation: removed, isRemoval: true }] : []),
    ...(over > removed ? [{ name, incarnation: over, isRemoval: false }] : []),
  ]);
}

/** The latest departures: what a node has to hear that was out of reach. */
export function latestDepartures(departures: Departures): readonly Departure[] {
  return departuresToList(departures).slice(-LATEST_MAX);
}

/** Part of its turn by which a strategy that remembers departures tells them. */
interface DepartureTurn {
  readonly state: { readonly departures: Departures };
  send(to: NodeSpec, message: { readonly type: "left" } & Departure): void;
}

/**
 * Tells `to`, which speaks to this node as to one of its cluster, that this node has left that cluster. Nothing, where it was not removed but
 * followed by a later incarnation.
 */
export function sendOwnDeparture(
  turn: DepartureTurn & { readonly state: { readonly self: NodeSpec } },
  to: NodeSpec,
): void {
  const { self: { name }, departures } = turn.state;
  const removed = departures.get(name)?.removed ?? -1;
  if (removed >= 0) turn.send(to, { type: "left", name, incarnation: removed, isRemoval: true });
}

/** The departures without that of a node which begins a membership anew: what it left before concerns no node any more. */
export function withoutDeparture(departures: Departures, name: string): Departures {
  if (!departures.has(name)) return departures;
  return new Map([...departures].filter(([other]) => other !== name));
}

/**
 * A later incarnation of a node that is taken for the next one of `former`: whatever ends the membership of `former` ends its own, also when it
 * is heard of later.
 */
export function followUp(node: NodeSpec, former: NodeSpec): NodeSpec {
  const since = Math.min(memberSince(node), memberSince(former));
  return since === memberSince(node) ? node : { ...node, since };
}

/** Tells `to` when its own present incarnation is over, as far as others said. */
export function sendItsDeparture(turn: DepartureTurn, to: NodeSpec): void {
  const departure = departureOf(turn.state.departures, to);
  if (departure !== undefined) turn.send(to, { type: "left", ...departure });
}

/** Tells `to`, which was out of reach, which nodes left lately. */
export function sendLatestDepartures(turn: DepartureTurn, to: NodeSpec): void {
  for (const gone of latestDepartures(turn.state.departures)) turn.send(to, { type: "left", ...gone });
}

/**
 * Checks that a value from outside is a departure.
 *
 * @example What is none
 * ```ts
 * import { checkDeparture } from "@partisan/peer-service/strategy";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => checkDeparture({ name: "a", incarnation: -1, isRemoval: true }), RangeError);
 * ```
 */
export function checkDeparture(value: unknown): Departure {
  const { name, incarnation, isRemoval } = checkObject(value, "departure");
  if (typeof isRemoval !== "boolean") throw new TypeError("Invalid isRemoval: expected a boolean");
  return {
    name: checkName(name, "name"),
    incarnation: checkInteger(incarnation, "incarnation", 0, Number.MAX_SAFE_INTEGER),
    isRemoval,
  };
}
