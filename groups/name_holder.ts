// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { GroupEntry } from "./group_entry.ts";
import { isStamp, timeOf } from "./hybrid_clock.ts";

/** One side of a conflict: a node that has a name. */
export interface NameHolder {
  /** Name of the node. */
  readonly node: string;
  /** Metadata of its claim. */
  readonly meta: unknown;
  /** Time at which it claimed the name, in milliseconds since the epoch, by a hybrid logical clock. */
  readonly since: number;
}

/** A holder, and what its claim is told apart and compared by. */
export interface StampedHolder extends NameHolder {
  /** Number of the claim on its node. */
  readonly id: string;
  readonly stamp: number;
}

/** Value of a claim in its attribute. */
export function holderToMeta(stamp: number, meta: unknown): unknown[] {
  return [stamp, meta ?? null];
}

/** The holder that an entry stands for; `undefined` when it stands for none. */
export function holderOf({ node, id, meta: value }: GroupEntry): StampedHolder | undefined {
  const [stamp, meta] = Array.isArray(value) ? value : [];
  return isStamp(stamp) ? { node, id, meta, stamp, since: timeOf(stamp) } : undefined;
}

/** Whether a claim stands before another one where neither knew of the other: the later one, so that what was taken over stays so. */
export function compareHolders(a: StampedHolder, b: StampedHolder): number {
  if (a.stamp !== b.stamp) return b.stamp - a.stamp;
  return a.node < b.node ? -1 : a.node > b.node ? 1 : 0;
}
