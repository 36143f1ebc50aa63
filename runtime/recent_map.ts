// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * A map that remembers what it was asked for last: where the next key is likely to be the same, as on the way of messages,
 * a look-up costs a comparison.
 */
export class RecentMap<Key, Value> extends Map<Key, Value> {
  #key: Key | undefined;
  #value: Value | undefined;

  override get(key: Key): Value | undefined {
    if (key === this.#key) return this.#value;
    this.#key = key;
    return this.#value = super.get(key);
  }

  override set(key: Key, value: Value): this {
    if (key === this.#key) this.#value = value;
    return super.set(key, value);
  }

  override delete(key: Key): boolean {
    if (key === this.#key) this.#value = undefined;
    return super.delete(key);
  }

  override clear(): void {
    this.#value = undefined;
    super.clear();
  }
}
