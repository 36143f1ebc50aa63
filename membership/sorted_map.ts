// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A key with its value. */
export type SortedMapEntry<V> = readonly [key: string, value: V];

/**
 * A map that never changes: `with` and `without` return another one. Its keys are in ascending order of their UTF-16
 * code units, so that every node walks through equal maps in the same order. A change copies one or two flat arrays, which at
 * the sizes of a cluster is far cheaper than copying a `Map`.
 *
 * @typeParam V What the keys stand for.
 *
 * @example A change leaves the map as it was
 * ```ts
 * import { SortedMap } from "@partisan/peer-service/membership";
 * import { assertEquals } from "@std/assert";
 *
 * const map = SortedMap.from([["b", 2], ["a", 1]]);
 * assertEquals(map.with([["c", 3]]).keys, ["a", "b", "c"]);
 * assertEquals(map.keys, ["a", "b"]);
 * ```
 *
 * @example Look up, and take away
 * ```ts
 * import { SortedMap } from "@partisan/peer-service/membership";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const map = SortedMap.from([["b", 2], ["a", 1]]);
 * assertEquals(map.get("b"), 2);
 * assert(map.has("a"));
 * assertEquals(map.without("a").values, [2]);
 * assertEquals(map.size, 2);
 * ```
 *
 * @example Values without one, and of another kind
 * ```ts
 * import { SortedMap } from "@partisan/peer-service/membership";
 * import { assertEquals } from "@std/assert";
 *
 * const map = SortedMap.from([["b", 2], ["a", 1]]);
 * assertEquals(map.valuesWithout("a"), [2]);
 * assertEquals(map.map((value) => value > 1 ? `${value}` : undefined).keys, ["b"]);
 * ```
 */
export class SortedMap<V> {
  readonly #keys: readonly string[];
  readonly #values: readonly V[];

  private constructor(keys: readonly string[], values: readonly V[]) {
    this.#keys = keys;
    this.#values = values;
  }

  /** The map of these entries. A later entry of the same key replaces an earlier one. */
  static from<V>(entries: Iterable<SortedMapEntry<V>>): SortedMap<V> {
    const keys: string[] = [];
    const values: V[] = [];
    let isAscending = true;
    for (const entry of entries) {
      isAscending &&= keys.length === 0 || keys[keys.length - 1]! < entry[0];
      keys.push(entry[0]);
      values.push(entry[1]);
    }
    // Most entries come in order, if only because there is one.
    if (isAscending) return new SortedMap(keys, values);
    const byKey = new Map(keys.map((key, index) => [key, values[index]!]));
    const sorted = [...byKey.keys()].sort();
    return new SortedMap<V>(sorted, sorted.map((key) => byKey.get(key)!));
  }

  /** The values that `change` makes of those of this map, by the same keys, but for those of which it makes `undefined`. */
  map<W>(change: (value: V) => W | undefined): SortedMap<W> {
    const keys: string[] = [];
    const values: W[] = [];
    for (let index = 0; index < this.#keys.length; index++) {
      const value = change(this.#values[index]!);
      if (value === undefined) continue;
      keys.push(this.#keys[index]!);
      values.push(value);
    }
    return new SortedMap(keys.length === this.#keys.length ? this.#keys : keys, values);
  }

  /** Number of keys. */
  get size(): number {
    return this.#keys.length;
  }

  /** The keys, ascending. */
  get keys(): readonly string[] {
    return this.#keys;
  }

  /** The values, in the order of their keys. */
  get values(): readonly V[] {
    return this.#values;
  }

  /** The value of `key`, or `undefined`. */
  get(key: string): V | undefined {
    const index = this.#position(key);
    return this.#keys[index] === key ? this.#values[index] : undefined;
  }

  /** Whether there is a value for `key`. */
  has(key: string): boolean {
    return this.#keys[this.#position(key)] === key;
  }

  /** This map with `changes` in it, whose keys are distinct and ascending. */
  with(changes: readonly SortedMapEntry<V>[]): SortedMap<V> {
    if (changes.length === 0) return this;
    if (changes.length === 1) return this.#withOne(...changes[0]!);
    const keys: string[] = [];
    const values: V[] = [];
    let index = 0;
    for (const [key, value] of changes) {
      for (; index < this.#keys.length && this.#keys[index]! < key; index++) {
        keys.push(this.#keys[index]!);
        values.push(this.#values[index]!);
      }
      if (this.#keys[index] === key) index++;
      keys.push(key);
      values.push(value);
    }
    return new SortedMap(keys.concat(this.#keys.slice(index)), values.concat(this.#values.slice(index)));
  }

  /** The values without that of `key`. */
  valuesWithout(key: string): readonly V[] {
    const index = this.#position(key);
    return this.#keys[index] === key ? this.#values.toSpliced(index, 1) : this.#values;
  }

  /** This map without `key`; itself when it has no such key. */
  without(key: string): SortedMap<V> {
    const index = this.#position(key);
    if (this.#keys[index] !== key) return this;
    return new SortedMap(this.#keys.toSpliced(index, 1), this.#values.toSpliced(index, 1));
  }

  #withOne(key: string, value: V): SortedMap<V> {
    const index = this.#position(key);
    if (this.#keys[index] === key) return new SortedMap(this.#keys, this.#values.with(index, value));
    return new SortedMap(this.#keys.toSpliced(index, 0, key), this.#values.toSpliced(index, 0, value));
  }

  /** Index of `key`, or the index at which it would be inserted. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
