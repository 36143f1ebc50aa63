// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hashName } from "../wire/hash.ts";

/**
 * Assignment of watchers: nodes stand on a ring in the order of a hash of their names, and each is watched by the next few
 * after it. All that know the same names compute the same, each node has as many to watch as it has watchers, and one that
 * comes or goes changes little for the others.
 */
export class WatchRing {
  readonly #places: readonly { readonly name: string; readonly hash: number }[];
  readonly #names: readonly string[];
  readonly #watchers: number;

  /**
   * @param names All nodes, in any order.
   * @param watchers Number of watchers of each node, when there are so many others.
   * @param before A ring that had most of these nodes: those are in order already.
   */
  constructor(names: Iterable<string>, watchers: number, before?: WatchRing) {
    const others = new Set(names);
    const places = before === undefined ? [] : before.#places.filter(({ name }) => others.delete(name));
    others.forEach((name) => places.push({ name, hash: hashName(name) }));
    if (others.size > 0) places.sort((a, b) => a.hash - b.hash || (a.name < b.name ? -1 : 1));
    this.#places = places;
    this.#names = places.map(({ name }) => name);
    this.#watchers = Math.min(watchers, this.#names.length - 1);
  }

  /** Those that watch `name`, nearest first; none when it is not on the ring. */
  watchersOf(name: string): string[] {
    return this.#walk(name, 1);
  }

  /** Those that `name` watches, nearest first; none when it is not on the ring. */
  watchedBy(name: string): string[] {
    return this.#walk(name, -1);
  }

  #walk(name: string, step: 1 | -1): string[] {
    const start = this.#names.indexOf(name);
    if (start < 0) return [];
    const size = this.#names.length;
    return Array.from(
      { length: this.#watchers },
      (_, index) => this.#names[(start + step * (index + 1) + size) % size]!,
    );
  }
}
