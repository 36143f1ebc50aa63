// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Values that a test expects to be there: in place of `!`, which says the same to the compiler, but nothing when it is wrong.
 * Programs of processes use them as well, which run without an import map: so they need nothing of `@std/assert`.
 *
 * @module
 */

type Present<T> = Exclude<T, null | undefined>;

type TupleOf<T, N extends number, Before extends readonly T[] = []> = Before["length"] extends N ? Before
  : TupleOf<T, N, readonly [...Before, T]>;

/** `value`, which must be neither `undefined` nor `null`. */
export function present<T>(value: T, what: () => string = () => "a value"): Present<T> {
  if (value === undefined || value === null) throw new TypeError(`Expected ${what()}, got ${value}`);
  return value as Present<T>;
}

/** The element of a list at an index, which must be there. */
export function nthOf<T>(list: ArrayLike<T>, index: number): Present<T> {
  return present(list[index], () => `element ${index} of ${list.length}`);
}

/** The first element of a list, which must not be empty. */
export function firstOf<T>(list: ArrayLike<T>): Present<T> {
  return nthOf(list, 0);
}

/** The last element of a list, which must not be empty. */
export function lastOf<T>(list: ArrayLike<T>): Present<T> {
  return nthOf(list, list.length - 1);
}

/** The first elements of a list, as a tuple; all of them must be there. */
export function takeOf<T, N extends number>(list: ArrayLike<T>, count: N): TupleOf<Present<T>, N> {
  // One for each index below the count, which the type of `from` does not say.
  return Array.from({ length: count }, (_, index) => nthOf(list, index)) as TupleOf<Present<T>, N>;
}

/** The only element of a list, which must have just one. */
export function onlyOf<T>(list: ArrayLike<T>): Present<T> {
  if (list.length !== 1) throw new TypeError(`Expected one element, got ${list.length}`);
  return nthOf(list, 0);
}

/** The text of the first group of a pattern, which a text must match. */
export function groupOf(text: string, pattern: RegExp): string {
  const match = present(pattern.exec(text), () => `a match of ${pattern} in "${text}"`);
  return present(match[1], () => `a group of ${pattern}`);
}

/** The value of a key, which must be there: of a `Map`, or of anything else with a method `get`. */
export function entryOf<K, V>(map: { get(key: K): V }, key: K): Present<V> {
  return present(map.get(key), () => `an entry for ${String(key)}`);
}
