// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The neighbours of a node, and for each root which of them are lazy: the links to all others, the eager ones, belong to the
 * tree of that root. A neighbour that comes up is eager in every tree: if its link closes a circle, the next broadcast
 * shows it.
 *
 * A new root begins with the links of the root that was heard last. Of too many roots the one that was silent for longest is
 * forgotten.
 */
export class BroadcastTrees {
  readonly #rootsMax: number;
  readonly #neighbours = new Set<string>();
  /** By root, the one that was heard last comes last. */
  readonly #lazy = new Map<string, Set<string>>();
  #last: string | undefined;

  /** @param rootsMax How many roots are remembered. */
  constructor(rootsMax: number) {
    this.#rootsMax = rootsMax;
  }

  /** How many roots are remembered now. */
  get size(): number {
    return this.#lazy.size;
  }

  /** The root that was heard last, once one was. */
  get lastRoot(): string | undefined {
    return this.#last;
  }

  /** Names of all neighbours. */
  get neighbours(): ReadonlySet<string> {
    return this.#neighbours;
  }

  /** Takes note that `root` is heard now. */
  touch(root: string): void {
    if (root === this.#last) return;
    const lazy = this.#tree(root);
    this.#lazy.delete(root);
    this.#lazy.set(root, lazy);
    this.#last = root;
  }

  /** The neighbours that are eager in the tree of `root`; when absent, of the root that was heard last. */
  eager(root?: string): string[] {
    const lazy = this.#lazyOf(root);
    return [...this.#neighbours].filter((name) => !lazy.has(name));
  }

  /** The neighbours that are lazy in the tree of `root`; when absent, of the root that was heard last. */
  lazy(root?: string): string[] {
    return [...this.#lazyOf(root)];
  }

  /** Makes `name` a neighbour. */
  add(name: string): void {
    this.#neighbours.add(name);
  }

  /** `name` is a neighbour no longer. */
  delete(name: string): void {
    this.#neighbours.delete(name);
    for (const lazy of this.#lazy.values()) lazy.delete(name);
  }

  /** Makes the link to a neighbour one of the tree of `root`. */
  graft(root: string, name: string): void {
    this.#tree(root).delete(name);
  }

  /** Takes the link to a neighbour out of the tree of `root`. */
  prune(root: string, name: string): void {
    if (this.#neighbours.has(name)) this.#tree(root).add(name);
  }

  /** The lazy neighbours in the tree of `root`, which is remembered from now on. */
  #tree(root: string): Set<string> {
    const known = this.#lazy.get(root);
    if (known !== undefined) return known;
    const fresh = new Set(this.#lazyOf(root));
    this.#lazy.set(root, fresh);
    for (const quietest of this.#lazy.keys()) {
      if (this.#lazy.size <= this.#rootsMax) break;
      this.#lazy.delete(quietest);
    }
    return fresh;
  }

  #lazyOf(root = this.#last): ReadonlySet<string> {
    const last = this.#last === undefined ? undefined : this.#lazy.get(this.#last);
    return (root === undefined ? last : this.#lazy.get(root) ?? last) ?? new Set();
  }
}
