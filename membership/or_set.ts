// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  type ActorContext,
  actorContext,
  covers,
  includesContext,
  joinContexts,
  nextCounter,
} from "./causal_context.ts";
import { compareDots, type Dot } from "./dot.ts";
import { SortedMap, type SortedMapEntry } from "./sorted_map.ts";

/** An addition that is still in the set. */
export interface OrSetItem<K, V> {
  /** Its dot's counter; actor and incarnation are those of the record that it stands in. */
  readonly counter: number;
  /** Key that was added. */
  readonly key: K;
  /** Value of the key. */
  readonly value: V;
}

/** All that a set knows of one actor. */
export interface OrSetRecord<K, V> {
  /** Additions of the actor that were seen. */
  readonly context: ActorContext;
  /** Those of the additions that are still there, ascending by counter; all are of the context's incarnation. */
  readonly live: readonly OrSetItem<K, V>[];
}

/** A changed set and the part of it that others have to merge. */
export interface OrSetChange<K, V> {
  /** The whole set after the change. */
  readonly set: OrSet<K, V>;
  /** The change alone: a set like any other, with which all replicas are brought to know it. */
  readonly delta: OrSet<K, V>;
}

/**
 * An observed-remove set of keys with values, replicated by merging: a removal takes away exactly the additions that
 * the remover had seen, so that an addition made at the same time wins. It keeps no tombstones, only which dots were seen
 * (Bieniusa et al., "An optimized conflict-free replicated set", 2012), and what a change sends is itself a small
 * set of that kind (Almeida, Shoker and Baquero, "Delta state replicated data types", 2018).
 *
 * A new incarnation of an actor retires everything that its earlier ones added. Sets never change: every
 * method returns another one, or the same when there is nothing to change.
 *
 * @typeParam K Keys, compared like those of a `Map`.
 * @typeParam V Values; additions of one key made at the same time keep theirs side by side.
 *
 * @example An addition survives a removal that had not seen it
 * ```ts
 * import { OrSet } from "@partisan/peer-service/membership";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const shared = OrSet.empty<string, number>().add({ actor: "a", incarnation: 1 }, "x", 1).set;
 * const removed = shared.remove("x").set;
 * const added = shared.add({ actor: "b", incarnation: 1 }, "x", 2).set;
 *
 * const merged = removed.merge(added);
 * assertEquals(merged.get("x"), 2);
 * assert(merged.merge(removed) === merged);
 * ```
 *
 * @example What is known, and of which replica
 * ```ts
 * import { OrSet } from "@partisan/peer-service/membership";
 * import { assert, assertEquals, assertFalse } from "@std/assert";
 *
 * const byA = OrSet.empty<string, number>().add({ actor: "a", incarnation: 1 }, "x", 1).set;
 * const byB = OrSet.empty<string, number>().add({ actor: "b", incarnation: 1 }, "x", 2).set;
 * const both = byA.merge(byB);
 * assert(both.has("x"));
 * assertEquals([...both.keys()], ["x"]);
 * assertEquals(both.getAll("x"), [1, 2]);
 *
 * assertEquals(both.only(["b"]).getAll("x"), [2]);
 * assertEquals(both.forget("b").getAll("x"), [1]);
 * const { records } = both;
 * assertEquals(OrSet.from(records.keys.map((actor) => [actor, records.get(actor)!])).get("x"), 2);
 * assertFalse(both.remove("x").set.has("x"));
 * ```
 */
export class OrSet<K, V> {
  /** Records by actor. Merging is pointwise: one actor's record never depends on another's. */
  readonly records: SortedMap<OrSetRecord<K, V>>;
  #dots: ReadonlyMap<K, readonly Dot[]> | undefined;

  private constructor(records: SortedMap<OrSetRecord<K, V>>) {
    this.records = records;
  }

  /** The set that has seen nothing. */
  static empty<K, V>(): OrSet<K, V> {
    return new OrSet<K, V>(SortedMap.from<OrSetRecord<K, V>>([]));
  }

  /**
   * The set of these records.
   *
   * @throws {RangeError} When a live item is not covered by its record's context.
   */
  static from<K, V>(records: Iterable<SortedMapEntry<OrSetRecord<K, V>>>): OrSet<K, V> {
    const set = new OrSet<K, V>(SortedMap.from(records));
    for (const [index, { context, live }] of set.records.values.entries()) {
      for (const { counter } of live) {
        if (!covers(context, context.incarnation, counter)) {
          throw new RangeError(
            `Cannot make a set: addition ${counter} of "${set.records.keys[index]}" is outside of its context`,
          );
        }
      }
    }
    return set;
  }

  /** The keys in the set. */
  keys(): Iterable<K> {
    return this.#dotsByKey().keys();
  }

  /** Whether `key` is in the set. */
  has(key: K): boolean {
    return this.#dotsByKey().has(key);
  }

  /** The value of `key` with the greatest dot (see {@linkcode compareDots}), or `undefined`. */
  get(key: K): V | undefined {
    return this.getAll(key).at(-1);
  }

  /** The values of all additions of `key` that are in the set, in the order of their dots. */
  getAll(key: K): V[] {
    return (this.#dotsByKey().get(key) ?? []).map(({ actor, counter }) =>
      this.records.get(actor)!.live.find((item) => item.counter === counter)!.value
    );
  }

  /**
   * Adds `key`, in place of all its additions that were seen here.
   *
   * @param author Actor that adds it, and its incarnation. No two replicas may ever use the same one.
   * @throws {RangeError} When a newer incarnation of the author is known.
   */
  add(author: Omit<Dot, "counter">, key: K, value: V): OrSetChange<K, V> {
    const { actor, incarnation } = author;
    const known = this.records.get(actor)?.context;
    if (known !== undefined && known.incarnation > incarnation) {
      throw new RangeError(
        `Cannot add as incarnation ${incarnation} of "${actor}": incarnation ${known.incarnation} is known`,
      );
    }
    const counter = nextCounter(known, incarnation);
    const seen = new Map(this.#countersOf(key));
    const own = known?.incarnation === incarnation ? seen.get(actor) ?? [] : [];
    seen.delete(actor);
    return this.#change([
      [actor, { context: actorContext(incarnation, [...own, counter]), live: [{ counter, key, value }] }],
      ...this.#removal(seen),
    ]);
  }

  /** Removes `key`, which undoes exactly those additions of it that were seen here. */
  remove(key: K): OrSetChange<K, V> {
    return this.#change(this.#removal(this.#countersOf(key)));
  }

  /** The least set that knows what both know. This very set when `other` knows nothing new. */
  merge(other: OrSet<K, V>): OrSet<K, V> {
    const changes: SortedMapEntry<OrSetRecord<K, V>>[] = [];
    const { keys, values } = other.records;
    for (let index = 0; index < keys.length; index++) {
      const actor = keys[index]!;
      const theirs = values[index]!;
      const ours = this.records.get(actor);
      const joined = ours === undefined ? theirs : joinRecords(ours, theirs);
      if (joined !== ours) changes.push([actor, joined]);
    }
    return changes.length === 0 ? this : new OrSet(this.records.with(changes));
  }

  /** Part of this set about `actors`, fit to be merged anywhere. */
  only(actors: Iterable<string>): OrSet<K, V> {
    const records: SortedMapEntry<OrSetRecord<K, V>>[] = [];
    for (const actor of actors) {
      const record = this.records.get(actor);
      if (record !== undefined) records.push([actor, record]);
    }
    return new OrSet(SortedMap.from(records));
  }

  /** This set as if it had never heard of `actor`, which undoes what the laws of merging promise about it. */
  forget(actor: string): OrSet<K, V> {
    return this.records.has(actor) ? new OrSet(this.records.without(actor)) : this;
  }

  /** A change is what it says to others, merged here first. */
  #change(records: readonly SortedMapEntry<OrSetRecord<K, V>>[]): OrSetChange<K, V> {
    const delta = new OrSet(SortedMap.from(records));
    return { set: this.merge(delta), delta };
  }

  /** The records that have seen these counters and hold nothing. */
  #removal(counters: ReadonlyMap<string, readonly number[]>): SortedMapEntry<OrSetRecord<K, V>>[] {
    return [...counters].map(([actor, seen]) => {
      const { incarnation } = this.records.get(actor)!.context;
      return [actor, { context: actorContext(incarnation, seen), live: [] }];
    });
  }

  /** The live additions of `key`: counters by actor. */
  #countersOf(key: K): Map<string, number[]> {
    const counters = new Map<string, number[]>();
    for (const { actor, counter } of this.#dotsByKey().get(key) ?? []) {
      counters.set(actor, [...counters.get(actor) ?? [], counter]);
    }
    return counters;
  }

  /** Made when it is first asked for. */
  #dotsByKey(): ReadonlyMap<K, readonly Dot[]> {
    if (this.#dots !== undefined) return this.#dots;
    const dots = new Map<K, Dot[]>();
    for (const [index, { context: { incarnation }, live }] of this.records.values.entries()) {
      const actor = this.records.keys[index]!;
      for (const { counter, key } of live) {
        const ofKey = dots.get(key);
        if (ofKey === undefined) dots.set(key, [{ actor, incarnation, counter }]);
        else ofKey.push({ actor, incarnation, counter });
      }
    }
    for (const ofKey of dots.values()) ofKey.sort(compareDots);
    return this.#dots = dots;
  }
}

/**
 * Joins what two sets know of one actor; `ours` itself when `theirs` adds nothing. An addition stays when both have
 * it, or when the one that does not have it has not seen it either.
 */
function joinRecords<K, V>(ours: OrSetRecord<K, V>, theirs: OrSetRecord<K, V>): OrSetRecord<K, V> {
  const { incarnation } = ours.context;
  if (theirs.context.incarnation !== incarnation) return theirs.context.incarnation < incarnation ? ours : theirs;
  const kept = ours.live.filter(({ counter }) =>
    !covers(theirs.context, incarnation, counter) || holds(theirs, counter)
  );
  const gained = theirs.live.filter(({ counter }) => !covers(ours.context, incarnation, counter));
  if (kept.length === ours.live.length && includesContext(ours.context, theirs.context)) return ours;
  const live = [...kept, ...gained].sort((a, b) => a.counter - b.counter);
  return { context: joinContexts(ours.context, theirs.context), live };
}

function holds<K, V>(record: OrSetRecord<K, V>, counter: number): boolean {
  return record.live.some((item) => item.counter === counter);
}
