// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Digest, DigestBuilder } from "../../wire/hash.ts";
import { sizeOf } from "./map_limits.ts";
import type { Contexts, MapDelta, MapDot, MapOperation, MapSummary } from "./map_message.ts";
import { SeenCounters } from "./seen_counters.ts";

/** An operation that holds, and when it came here. */
export interface Held {
  readonly operation: MapOperation;
  /** On the local clock. */
  readonly at: number;
  /** Its part of the digest. */
  readonly hash: Digest;
}

/** The operations on a key before and after a change, the earliest first. */
export interface KeyChange {
  readonly key: string;
  readonly before: readonly MapOperation[];
  readonly after: readonly MapOperation[];
}

/** Most actors whose operations are all over that are remembered. */
const ACTORS_MAX = 1_000;
/** Most operations on one key that are kept side by side: of more, the earliest are over. */
const SIDE_BY_SIDE_MAX = 1_000;
/** Most counters beyond gaps that are remembered, of all actors together. */
const CLOUDS_MAX = 100_000;
const NOBODY = new SeenCounters();
const NO_CONTEXTS: Contexts = new Map();

/**
 * One replica of a map: an observed-remove map of multi-value registers, without tombstones that last (Almeida, Shoker and Baquero: Delta State
 * Replicated Data Types, 2018). Each operation has a dot, and replaces all that its node knew of the key. Operations on a key that did
 * not know of each other are kept side by side; which one counts is decided when the key is read. A deletion is an operation, too, as long as it may meet
 * an earlier one that it did not know. That it was there is remembered in the contexts, so that nothing that was replaced comes back.
 *
 * Pure: it is handed messages, and told the time.
 */
export class MapReplica {
  readonly #nextActor: () => string;
  #actor: string;
  readonly #keys = new Map<string, Held[]>();
  /** Keys that are deleted, in the order in which that became known here. */
  readonly #deleted = new Set<string>();
  readonly #live = new Map<string, Map<number, Held>>();
  readonly #contexts = new Map<string, SeenCounters>();
  /** Number of counters beyond gaps. */
  #clouds = 0;
  #bytes = 0;
  #high = 0;
  #low = 0;

  /** @param nextActor Makes a name that no other replica ever has or had. It begins with the incarnation of its node and a blank. */
  constructor(nextActor: () => string) {
    this.#nextActor = nextActor;
    this.#actor = nextActor();
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
    const operation: MapOperation = { ...this.#nextDot(), key, stamp, value, replaced };
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
      const dropped = counters.filter((counter) => own.has(counter) && !this.#holds({ actor, counter }));
      if (dropped.length > 0) over.set(actor, dropped);
    }
    return { operations: this.#unknownTo(contexts), over, contexts: new Map(this.#contexts) };
  }

  /** Delta for a replica with these contexts, which need not be told operations that are over. */
  answerTo(contexts: Contexts): MapDelta {
    return { operations: this.#unknownTo(contexts), over: new Map(), contexts: new Map(this.#contexts) };
  }

  /** Takes a summary of another replica: what that has seen, and does not hold any more, is over. */
  heed({ live, contexts }: MapSummary, now: number): KeyChange[] {
    this.#disown(contexts, now);
    return this.#changing((touch) => {
      for (const [actor, held] of this.#live) {
        const theirs = contexts.get(actor);
        if (theirs === undefined) continue;
        const holds = new Set(live.get(actor));
        for (const [counter, { operation }] of [...held]) {
          if (holds.has(counter) || !theirs.has(counter)) continue;
          touch(operation.key);
          this.#remove(operation);
        }
      }
    });
  }

  /** Whether there is room for a delta in so many bytes. */
  hasRoomFor({ operations, contexts }: MapDelta, bytesMax: number): boolean {
    let [bytes, clouds] = [this.#bytes, this.#clouds];
    for (const operation of operations) if (!this.#knows(operation)) bytes += sizeOf(operation);
    for (const [actor, { cloud }] of contexts) {
      const known = this.#contexts.get(actor) ?? NOBODY;
      for (const counter of cloud) if (!known.has(counter)) clouds++;
    }
    return bytes <= bytesMax && clouds <= CLOUDS_MAX;
  }

  /** Takes a delta of another replica. */
  merge({ operations, over, contexts }: MapDelta, now: number): KeyChange[] {
    this.#disown(contexts, now);
    return this.#changing((touch) => {
      for (const operation of operations) {
        if (this.#knows(operation) || this.#holds(operation) || !this.#canSee(operation, contexts)) continue;
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
      for (const [actor, context] of contexts) this.#seeAll(actor, context);
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

  /** Whether an operation was seen. What others say of this replica's own it knows better. */
  #knows({ actor, counter }: MapDot): boolean {
    return actor === this.#actor || (this.#contexts.get(actor)?.has(counter) ?? false);
  }

  /** Whether it can be remembered that an operation was seen: a gap in front of it may be one too many, until replicas compare. */
  #canSee({ actor, counter }: MapDot, coming: Contexts): boolean {
    return this.#clouds < CLOUDS_MAX || counter === (this.#contexts.get(actor)?.contiguous ?? 0) + 1 ||
      coming.get(actor)?.has(counter) === true;
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
        if (!theirs.has(counter)) unknown.push({ ...operation, replaced: [] });
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

  #nextDot(): MapDot {
    const own = this.#contexts.get(this.#actor) ?? new SeenCounters();
    this.#contexts.set(this.#actor, own);
    const counter = own.top + 1;
    own.add(counter);
    return { actor: this.#actor, counter };
  }

  /**
   * Others have seen more of this replica than it has done: a lie, by which what it does next would be taken for over. So it takes another
   * name, under which its operations hold as well.
   */
  #disown(contexts: Contexts, now: number): void {
    const own = this.#contexts.get(this.#actor) ?? NOBODY;
    if ((contexts.get(this.#actor) ?? NOBODY).top <= own.top) return;
    const held = [...this.#live.get(this.#actor)?.values() ?? []];
    this.#actor = this.#nextActor();
    for (const { operation } of held) {
      this.#remove(operation);
      const { actor, counter } = operation;
      this.#add({ ...operation, ...this.#nextDot(), replaced: [{ actor, counter }] }, now);
    }
  }

  /** @param coming Operations that will be known soon anyway. */
  #add(operation: MapOperation, at: number, coming?: Contexts): void {
    const { actor, counter, key } = operation;
    if (coming?.get(actor)?.has(counter) !== true) this.#see(actor, counter);
    const builder = new DigestBuilder();
    builder.addText(actor);
    builder.addInteger(counter);
    const held = { operation, at, hash: builder.digest() };
    const actors = this.#live.get(actor) ?? new Map<number, Held>();
    this.#live.set(actor, actors);
    actors.set(counter, held);
    this.#bytes += sizeOf(operation);
    const all = this.#keys.get(key) ?? [];
    this.#keys.set(key, all);
    // Most come behind all others.
    all.splice(all.findLastIndex((other) => compareHeld(other, held) < 0) + 1, 0, held);
    this.#changed(key, held);
    const [first] = all;
    if (all.length > SIDE_BY_SIDE_MAX && first !== undefined) this.#remove(first.operation);
  }

  /** An operation is over, whether it came here or not. */
  #remove({ actor, counter }: MapDot): void {
    this.#see(actor, counter);
    const actors = this.#live.get(actor);
    const held = actors?.get(counter);
    if (actors === undefined || held === undefined) return;
    actors.delete(counter);
    if (actors.size === 0) this.#live.delete(actor);
    const { operation: { key } } = held;
    this.#bytes -= sizeOf(held.operation);
    const all = this.#keys.get(key) ?? [];
    all.splice(all.indexOf(held), 1);
    if (all.length === 0) this.#keys.delete(key);
    this.#changed(key, held);
  }

  /** One operation on a key came or went: brings the digest up to date, in which there are those on keys that are not deleted. */
  #changed(key: string, one: Held): void {
    const all = this.#keys.get(key) ?? [];
    const [wasDeleted, isDeleted] = [this.#deleted.has(key), all.at(-1)?.operation.value === null];
    if (isDeleted) this.#deleted.add(key);
    else this.#deleted.delete(key);
    if (!isDeleted && !wasDeleted) return this.#toggle(one);
    if (isDeleted === wasDeleted) return;
    const came = all.includes(one);
    for (const held of all) if (held !== one) this.#toggle(held);
    if (came === !isDeleted) this.#toggle(one);
  }

  #toggle({ hash: { high, low } }: Held): void {
    this.#high ^= high;
    this.#low ^= low;
  }

  /** An operation was seen, if that can be remembered. */
  #see(actor: string, counter: number): void {
    if (this.#knows({ actor, counter }) || !this.#canSee({ actor, counter }, NO_CONTEXTS)) return;
    this.#seeing(actor, (known) => known.add(counter));
  }

  /** Joins the contexts of another replica. */
  #seeAll(actor: string, context: SeenCounters): void {
    if (actor !== this.#actor) this.#seeing(actor, (known) => known.join(context));
  }

  #seeing(actor: string, see: (known: SeenCounters) => void): void {
    const known = this.#contexts.get(actor) ?? new SeenCounters();
    this.#contexts.set(actor, known);
    this.#clouds -= known.cloud.length;
    see(known);
    this.#clouds += known.cloud.length;
  }

  /** Forgets the oldest actors, the same ones everywhere: all replicas know their operations. */
  #forgetActors(): void {
    if (this.#contexts.size <= this.#live.size + ACTORS_MAX) return;
    const idle = [...this.#contexts.keys()].filter((actor) => !this.#live.has(actor) && actor !== this.#actor);
    idle.sort((a, b) => parseInt(a) - parseInt(b) || (a < b ? -1 : 1));
    for (const actor of idle.slice(0, Math.max(0, idle.length - ACTORS_MAX))) {
      this.#clouds -= this.#contexts.get(actor)?.cloud.length ?? 0;
      this.#contexts.delete(actor);
    }
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
