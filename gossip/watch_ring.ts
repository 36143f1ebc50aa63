// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hashName } from "../wire/hash.ts";

/**
 * Assignment of watchers: nodes stand on a ring in the order of a hash of their names, and each is watched by the next few
 * after it. All that know the same names compute the same, each node has as many to watch as it has watchers, and one that
 * comes or goes changes little for the others.
 */
export class WatchRing {
  readonly #names: readonly string[];
  readonly #positions: ReadonlyMap<string, number>;
  readonly #watchers: number;

  /**
   * @param names All nodes, in any order.
   * @param watchers Number of watchers of each node, when there are so many others.
   */
  constructor(names: Iterable<string>, watchers: number) {
    const places = Array.from(new Set(names), (name) => ({ name, hash: hashName(name) }));
    places.sort((a, b) => a.hash - b.hash || (a.name < b.name ? -1 : 1));
    this.#names = places.map((place) => place.name);
    this.#positions = new Map(this.#names.map((name, position) => [name, position]));
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
    const start = this.#positions.get(name);
    if (start === undefined) return [];
    const size = this.#names.length;
    return Array.from(
      { length: this.#watchers },
      (_, index) => this.#names[(start + step * (index + 1) + size) % size]!,
    );
  }
}
