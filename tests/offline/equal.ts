// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Deep equality, never more lenient than that of `@std/assert`: by value, `NaN` equals `NaN`, `0` equals `-0`,
 * prototypes matter. Of instances of classes it compares all that can be read, hidden and inherited properties too, so
 * two errors that were made apart differ by their `stack`.
 */
export function equal(a: unknown, b: unknown): boolean {
  return sameValue(a, b, new Map());
}

/** `seen` pairs the objects that are being compared further up, so that cycles end. */
function sameValue(a: unknown, b: unknown, seen: Map<unknown, unknown>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (!samePrototype(a, b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet) throw new TypeError("Cannot compare weak collections by value");
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  return sameContent(a, b, seen) ?? sameProperties(a, b, seen);
}

/** Compares what is more than its properties; null for everything else. */
function sameContent(a: object, b: object, seen: Map<unknown, unknown>): boolean | null {
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (TEXTS.some((type) => a instanceof type && b instanceof type)) return `${a}` === `${b}`;
  if (a instanceof WeakRef && b instanceof WeakRef) return sameValue(a.deref(), b.deref(), seen);
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) return sameBytes(new Uint8Array(a), new Uint8Array(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return sameBytes(a, b);
  if (a instanceof Set && b instanceof Set) return sameEntries([...a], [...b], seen);
  if (a instanceof Map && b instanceof Map) return sameMap(a, b, seen);
  return null;
}

/** Classes of objects that are the same where they read the same. */
const TEXTS = [RegExp, URL, URLSearchParams];

/** An object without a prototype counts as a plain one. */
function samePrototype(a: object, b: object): boolean {
  const plain = (value: object) => Object.getPrototypeOf(value) ?? Object.prototype;
  return plain(a) === plain(b);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function sameMap(a: Map<unknown, unknown>, b: Map<unknown, unknown>, seen: Map<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  const shared = [...a.keys()].every((key) => b.has(key));
  if (shared) return [...a].every(([key, value]) => sameValue(value, b.get(key), seen));
  return sameEntries([...a], [...b], seen);
}

/** Equal as bags: each of `a` has a partner of its own in `b`. */
function sameEntries(a: unknown[], b: unknown[], seen: Map<unknown, unknown>): boolean {
  if (a.length !== b.length) return false;
  const rest = new Set(b.keys());
  return a.every((value) => {
    for (const index of rest) {
      // A failed try must leave no trace in `seen`, or it would pass the next time.
      if (sameValue(value, b[index], new Map(seen))) return rest.delete(index);
    }
    return false;
  });
}

function sameProperties(a: object, b: object, seen: Map<unknown, unknown>): boolean {
  const keys = keysOf(a);
  const others = keysOf(b);
  if (keys.size !== others.size) return false;
  return [...keys].every((key) => others.has(key) && sameValue(Reflect.get(a, key), Reflect.get(b, key), seen));
}

/** Keys of a plain object or array: its own enumerable ones. Those of an instance: all that it has or inherits. */
function keysOf(value: object): Set<PropertyKey> {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || BASIC.has(prototype)) {
    return new Set(Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key)));
  }
  const keys = new Set<PropertyKey>();
  for (let at = value; at !== null && !BASIC.has(at); at = Object.getPrototypeOf(at)) {
    for (const key of Reflect.ownKeys(at)) keys.add(key);
  }
  return keys;
}

/** The prototypes of plain objects and arrays. */
const BASIC: ReadonlySet<object> = new Set([Object.prototype, Array.prototype]);
