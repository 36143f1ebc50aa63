// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Every value that can be reached from `root` by own properties, entries and getters, each with the way to it. */
export function* reachable(root: unknown): Generator<readonly [path: string, value: unknown]> {
  const seen = new Set<unknown>();
  const open: [path: string, value: unknown][] = [["", root]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [path, value] = next;
    const isPart = (typeof value === "object" && value !== null) || typeof value === "function";
    if (isPart && seen.has(value)) continue;
    seen.add(value);
    yield [path, value];
    if (!isPart || ArrayBuffer.isView(value)) continue;
    for (const key of Reflect.ownKeys(value)) open.push([`${path}.${String(key)}`, read(value, key)]);
    if (value instanceof Map || value instanceof Set) {
      for (const entry of value.entries()) open.push([`${path}[]`, entry]);
    }
    if (typeof value === "object") {
      for (const key of gettersOf(value)) open.push([`${path}.${key}`, read(value, key)]);
    }
  }
}

/** Names of the getters that the classes of this project give a value. */
function gettersOf(value: object): string[] {
  const names: string[] = [];
  for (let type = Object.getPrototypeOf(value); type !== null; type = Object.getPrototypeOf(type)) {
    if (Function.prototype.toString.call(type.constructor).includes("[native code]")) break;
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
      if (get !== undefined) names.push(name);
    }
  }
  return names;
}

function read(value: object, key: string | symbol): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}
