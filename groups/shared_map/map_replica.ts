// Copyright 2026 the Partisan peer-service authors. MIT license.

import { actorContext, covers, includesContext, joinContexts, nextCounter } from "../../membership/causal_context.ts";
import { type Digest, DigestBuilder } from "../../wire/hash.ts";
import { sizeOf } from "./map_limits.ts";
import type { Contexts, MapDelta, MapDot, MapOperation, MapSummary } from "./map_message.ts";

/** An operation that holds, and when it came here. */
export interface Held {
  readonly operation: MapOperation;
  /** On the local clock. */
  readonly at: number;
}

/** The operations on a key before and after a change, the earliest first. */
export interface KeyChange {
  readonly key: string;
  readonly before: readonly MapOperation[];
  readonly after: readonly MapOperation[];
}

/** Most actors whose operations are all over that are remembered. */
const ACTORS_MAX = 1_000;
const NOBODY = actorContext(0, []);

/**
 * One replica of a map: an observed-remove map of multi-value registers, without tombstones that last (Almeida, Shoker and Baquero: Delta State
 * Replicated Data Types, 2018). Each operation has a dot, and replaces all that its node knew of the key. Operations on a key that did
 * not know of each other are kept side by side; which one counts is decided when the key is read. A deletion is an operation, too, as long as it may meet
 * an earlier one that it did not know. That it was there is remembered in the contexts, so that nothing that was replaced comes back.
 *
 * Pure: it is handed messages, and told the time.
 */
export class MapReplica {
  readonly #actor: string;
  readonly #keys = new Map<string, Held[]>();
  /** Keys that are deleted, in the order in which that became known here. */
  readonly #deleted = new Set<string>();
  readonly #live = new Map<string, Map<number, Held>>();
  readonly #contexts = new Map<string, ReturnType<typeof actorContext>>();
  #bytes = 0;
  #high = 0;
  #low = 0;

  /** @param actor No other replica ever has or had the same. It begins with the incarnation of its node and a blank. */
  constructor(actor: string) {
    this.#actor = actor;
  }

  /** Number of keys that have a value. */
  get size(): number {
    return this.#keys.size - this.#deleted.size;
  }

  /** Bytes of all operations. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of deletions that are kept. */
  get deletions(): number {
    return this.#deleted.size;
  }

  /** A hash of the operations on all keys that have a value, in no order. */
  get digest(): Digest {
    return { high: this.#high >>> 0, low: this.#low >>> 0 };
  }

  /** Keys that have a value, in no order. */
  *keys(): IterableIterator<string> {
    for (const key of this.#keys.keys()) if (!this.#deleted.has(key)) yield key;
  }

  /** The operations on a key that count: those since the last deletion, the earliest first. */
  values(key: string): readonly MapOperation[] {
    return counting(this.#operations(key));
  }

  /** Bytes of the operations on a key. */
  bytesOf(key: string): number {
    return this.#operations(key).reduce((sum, operation) => sum + sizeOf(operation), 0);
  }

  /** Sets or deletes what this replica knows of a key. */
  write(
    key: string,
    value: Uint8Array | null,
    stamp: number,
    now: number,
  ): { operation: MapOperation; change: KeyChange } {
    const before = this.#operations(key);
    const replaced = before.map(({ actor, counter }) => ({ actor, counter }));
    const counter = nextCounter(this.#contexts.get(this.#actor), 0);
    const operation: MapOperation = { actor: this.#actor, counter, key, stamp, value, replaced };
    for (const dot of replaced) this.#remove(dot);
    this.#add(operation, now);
    return { operation, change: { key, before, after: this.#operations(key) } };
  }

  /** All that this replica knows, without the values. */
  summary(): MapSummary {
    const live = new Map<string, readonly number[]>();
    for (const [actor, held] of this.#live) live.set(actor, [...held.keys()].sort((a, b) => a - b));
    return { live, contexts: new Map(this.#contexts) };
  }

  /** Delta for a replica that knows `summary`. */
  deltaFor({ live, contexts }: MapSummary): MapDelta {
    const over = new Map<string, number[]>();
    for (const [actor, counters] of live) {
      const own = this.#contexts.get(actor) ?? NOBODY;
      const dropped = counters.filter((counter) => covers(own, 0, counter) && !this.#holds({ actor, counter }));
      if (dropped.length > 0) over.set(actor, dropped);
    }
    return { operations: this.#unknownTo(contexts), over, contexts: new Map(this.#contexts) };
  }

  /** Delta for a replica with these contexts, which need not be told operations that are over. */
  answerTo(contexts: Contexts): MapDelta {
    return { operations: this.#unknownTo(contexts), over: new Map(), contexts: new Map(this.#contexts) };
  }

  /** Takes a summary of another replica: what that has seen, and does not hold any more, is over. */
  heed({ live, contexts }: MapSummary): KeyChange[] {
    return this.#changing((touch) => {
      for (const [actor, held] of this.#live) {
        const theirs = contexts.get(actor);
        if (theirs === undefined) continue;
        const holds = new Set(live.get(actor));
        for (const [counter, { operation }] of [...held]) {
          if (holds.has(counter) || !covers(theirs, 0, counter)) continue;
          touch(operation.key);
          this.#remove(operation);
        }
      }
    });
  }

  /** Bytes that a delta would add. */
  costOf({ operations }: MapDelta): number {
    return operations.reduce((sum, operation) => this.#knows(operation) ? sum : sum + sizeOf(operation), 0);
  }

  /** Takes a delta of another replica. */
  merge({ operations, over, contexts }: MapDelta, now: number): KeyChange[] {
    return this.#changing((touch) => {
      for (const operation of operations) {
        if (this.#knows(operation) || this.#holds(operation)) continue;
        touch(operation.key);
        for (const dot of operation.replaced) this.#remove(dot);
        this.#add(operation, now, contexts);
      }
      for (const [actor, counters] of over) {
        for (const counter of counters) {
          const held = this.#live.get(actor)?.get(counter);
          if (held === undefined) continue;
          touch(held.operation.key);
          this.#remove({ actor, counter });
        }
      }
      for (const [actor, context] of contexts) this.#see(actor, context);
      this.#forgetActors();
    });
  }

  /** Forgets deletions that came here before a moment, and the oldest of those that are too many. That they were there stays known. */
  purge(before: number, most: number): void {
    for (const key of this.#deleted) {
      const newest = Math.max(...(this.#keys.get(key) ?? []).map(({ at }) => at));
      if (newest >= before && this.#deleted.size <= most) break;
      for (const { operation } of [...this.#keys.get(key) ?? []]) this.#remove(operation);
      this.#deleted.delete(key);
    }
  }

  #operations(key: string): MapOperation[] {
    return (this.#keys.get(key) ?? []).map(({ operation }) => operation);
  }

  #knows({ actor, counter }: MapDot): boolean {
    return covers(this.#contexts.get(actor) ?? NOBODY, 0, counter);
  }

  #holds({ actor, counter }: MapDot): boolean {
    return this.#live.get(actor)?.has(counter) ?? false;
  }

  #unknownTo(contexts: Contexts): MapOperation[] {
    const unknown: MapOperation[] = [];
    for (const [actor, held] of this.#live) {
      const theirs = contexts.get(actor) ?? NOBODY;
      for (const [counter, { operation }] of held) {
        // The contexts tell what it replaced.
        if (!covers(theirs, 0, counter)) unknown.push({ ...operation, replaced: [] });
      }
    }
    return unknown;
  }

  /** Does something to several keys. @returns Changes, by key. */
  #changing(change: (touch: (key: string) => void) => void): KeyChange[] {
    const before = new Map<string, MapOperation[]>();
    change((key) => {
      if (!before.has(key)) before.set(key, this.#operations(key));
    });
    return [...before].map(([key, former]) => ({ key, before: former, after: this.#operations(key) }));
  }

  /** @param coming Operations that will be known soon anyway. */
  #add(operation: MapOperation, at: number, coming?: Contexts): void {
    const { actor, counter, key } = operation;
    if (!covers(coming?.get(actor) ?? NOBODY, 0, counter)) this.#see(actor, actorContext(0, [counter]));
    const held = { operation, at };
    const actors = this.#live.get(actor) ?? new Map<number, Held>();
    this.#live.set(actor, actors);
    actors.set(counter, held);
    this.#bytes += sizeOf(operation);
    this.#regroup(key, [...this.#keys.get(key) ?? [], held].sort(compareHeld));
  }

  /** An operation is over, whether it came here or not. */
  #remove({ actor, counter }: MapDot): void {
    this.#see(actor, actorContext(0, [counter]));
    const actors = this.#live.get(actor);
    const held = actors?.get(counter);
    if (actors === undefined || held === undefined) return;
    actors.delete(counter);
    if (actors.size === 0) this.#live.delete(actor);
    const { operation: { key } } = held;
    this.#bytes -= sizeOf(held.operation);
    this.#regroup(key, (this.#keys.get(key) ?? []).filter((other) => other !== held));
  }

  /** Replaces what holds of a key, and brings the digest up to date. */
  #regroup(key: string, held: Held[]): void {
    const isDeleted = held.length > 0 && held.at(-1)?.operation.value === null;
    if (!this.#deleted.has(key)) { for (const { operation } of this.#keys.get(key) ?? []) this.#toggle(operation); }
    if (held.length === 0) this.#keys.delete(key);
    else this.#keys.set(key, held);
    if (isDeleted) this.#deleted.add(key);
    else this.#deleted.delete(key);
    if (!isDeleted) { for (const { operation } of held) this.#toggle(operation); }
  }

  #toggle({ actor, counter }: MapDot): void {
    const builder = new DigestBuilder();
    builder.addText(actor);
    builder.addInteger(counter);
    const { high, low } = builder.digest();
    this.#high ^= high;
    this.#low ^= low;
  }

  #see(actor: string, context: ReturnType<typeof actorContext>): void {
    const known = this.#contexts.get(actor) ?? NOBODY;
    if (!includesContext(known, context)) this.#contexts.set(actor, joinContexts(known, context));
  }

  /** Forgets the oldest actors, the same ones everywhere: all replicas know their operations. */
  #forgetActors(): void {
    if (this.#contexts.size <= this.#live.size + ACTORS_MAX) return;
    const idle = [...this.#contexts.keys()].filter((actor) => !this.#live.has(actor) && actor !== this.#actor);
    idle.sort((a, b) => parseInt(a) - parseInt(b) || (a < b ? -1 : 1));
    for (const actor of idle.slice(0, Math.max(0, idle.length - ACTORS_MAX))) this.#contexts.delete(actor);
  }
}

/** The operations of a list that count: those since the last deletion. */
export function counting(operations: readonly MapOperation[]): readonly MapOperation[] {
  const deletion = operations.findLastIndex(({ value }) => value === null);
  return deletion === -1 ? operations : operations.slice(deletion + 1);
}

/** The same order on all replicas: by stamp, then by actor. */
function compareHeld({ operation: a }: Held, { operation: b }: Held): number {
  return a.stamp - b.stamp || (a.actor < b.actor ? -1 : a.actor > b.actor ? 1 : a.counter - b.counter);
}
