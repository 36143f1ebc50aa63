// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Deep equality as `@std/assert` means it: by value, `NaN` equals `NaN`, `0` equals `-0`, prototypes matter. */
export function equal(a: unknown, b: unknown): boolean {
  return sameValue(a, b, new Map());
}

/** `seen` pairs the objects that are being compared further up, so that cycles end. */
function sameValue(a: unknown, b: unknown, seen: Map<unknown, unknown>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (!samePrototype(a, b)) return false;
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if ((a instanceof RegExp && b instanceof RegExp) || (a instanceof URL && b instanceof URL)) return `${a}` === `${b}`;
  // Identity is all that can be known of what a weak collection holds.
  if (a instanceof WeakMap || a instanceof WeakSet) return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof Error && b instanceof Error && (a.name !== b.name || a.message !== b.message)) return false;
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) return sameBytes(new Uint8Array(a), new Uint8Array(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return sameBytes(a, b);
  if (a instanceof Set && b instanceof Set) return sameEntries([...a], [...b], seen);
  if (a instanceof Map && b instanceof Map) return sameMap(a, b, seen);
  return sameProperties(a, b, seen);
}

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
  const keys = ownKeys(a);
  if (keys.length !== ownKeys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && sameValue(Reflect.get(a, key), Reflect.get(b, key), seen));
}

function ownKeys(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
}
