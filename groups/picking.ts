// Copyright 2026 the Partisan peer-service authors. MIT license.

import { shown } from "../runtime/type_name.ts";
import { rendezvous } from "../wire/rendezvous.ts";
import type { GroupEntry } from "./group_entry.ts";

/** Rule that picks the member of a group for a call. */
export type Pick =
  /** Any, in proportion to the weights. */
  | "random"
  /** One after the other, as this object counts. */
  | "round-robin"
  /** The one with the fewest calls of this node under way, in proportion to the weights. */
  | "least-busy"
  /** The same one for the same key, as long as it is there. */
  | { readonly key: string };

/** @throws {TypeError} When it says no way to pick. */
export function checkPick(pick: Pick, what: string): void {
  const isPick = typeof pick === "object"
    ? typeof pick?.key === "string"
    : ["random", "round-robin", "least-busy"].includes(pick);
  if (isPick) return;
  throw new TypeError(
    `${what}: "pick" is ${shown(pick)}, expected "random", "round-robin", "least-busy" or { key: "…" }`,
  );
}

/** Context of a choice, in addition to the members. */
export interface PickContext {
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Number of earlier picks. */
  readonly turn: number;
  /** Number of calls of this node that a member has under way. */
  readonly busy: (entry: GroupEntry) => number;
}

/**
 * Picks one of the entries, which are sorted.
 *
 * @returns `undefined` when there is none.
 */
export function pickEntry(entries: readonly GroupEntry[], pick: Pick, context: PickContext): GroupEntry | undefined {
  if (typeof pick === "object") {
    const candidates = entries.map((entry) => ({ name: `${entry.node} ${entry.id}`, weight: entry.weight, entry }));
    return rendezvous(pick.key, candidates)[0]?.entry;
  }
  switch (pick) {
    case "random":
      return byWeight(entries, context.random());
    case "round-robin":
      return entries[context.turn % entries.length];
    case "least-busy":
      return leastBusy(entries, context);
  }
}

function byWeight(entries: readonly GroupEntry[], random: number): GroupEntry | undefined {
  let left = random * entries.reduce((sum, { weight }) => sum + weight, 0);
  for (const entry of entries) {
    left -= entry.weight;
    if (left < 0) return entry;
  }
  return entries.at(-1);
}

function leastBusy(entries: readonly GroupEntry[], { busy, random }: PickContext): GroupEntry | undefined {
  let least = Infinity;
  let found: GroupEntry[] = [];
  for (const entry of entries) {
    const load = (busy(entry) + 1) / entry.weight;
    if (load < least) [least, found] = [load, []];
    if (load === least) found.push(entry);
  }
  return found[Math.floor(random() * found.length)];
}
