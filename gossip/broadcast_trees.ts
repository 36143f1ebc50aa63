// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A root that was heard so often gets a tree of its own: one of its broadcasts goes along all links. */
const OWN_TREE_AFTER = 8;

/** The tree of one root, as its links at this node. */
interface Tree {
  readonly lazy: Set<string>;
  /** Number of broadcasts heard of its root. */
  heard: number;
  /** Neighbour by which the last broadcast of its root came first, as long as that is a neighbour. */
  feeder: string | undefined;
}

/**
 * The neighbours of a node, and for each root which of them are lazy: the links to all others, the eager ones, belong to the
 * tree of that root. A neighbour that comes up is eager in every tree, until it says in which of them it needs nothing
 * of this node ({@linkcode BroadcastTrees.served}): a link that is new must not change trees that are whole.
 *
 * A new root begins with the links of the root that was heard last: rare roots share a tree, so that none of them has to flood the overlay. When
 * all share one, those inside it pass everything on, and its leaves nothing. So each node makes all links eager once it has heard a root for
 * some time: what comes first by each of them gives that root a tree of its own, by the fastest ways from it, and the load of many
 * roots is spread (the aim is that of M. Ferreira, J. Leitão and L. Rodrigues, "Thicket", SRDS 2010). Of too many roots the one that was silent for longest is
 * forgotten.
 */
export class BroadcastTrees {
  readonly #rootsMax: number;
  readonly #neighbours = new Set<string>();
  /** By root, the one that was heard last comes last. */
  readonly #trees = new Map<string, Tree>();
  #last: string | undefined;

  /** @param rootsMax Maximum of remembered roots. */
  constructor(rootsMax: number) {
    this.#rootsMax = rootsMax;
  }

  /** Number of roots that are remembered now. */
  get size(): number {
    return this.#trees.size;
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
    const tree = this.#tree(root);
    if (++tree.heard === OWN_TREE_AFTER) tree.lazy.clear();
    if (root === this.#last) return;
    this.#trees.delete(root);
    this.#trees.set(root, tree);
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
    for (const tree of this.#trees.values()) {
      tree.lazy.delete(name);
      if (tree.feeder === name) tree.feeder = undefined;
    }
  }

  /** Makes the link to a neighbour one of the tree of `root`. */
  graft(root: string, name: string): void {
    this.#tree(root).lazy.delete(name);
  }

  /** Makes the link by which a broadcast of `root` came first one of its tree. */
  feed(root: string, name: string): void {
    const tree = this.#tree(root);
    tree.lazy.delete(name);
    tree.feeder = this.#neighbours.has(name) ? name : undefined;
  }

  /** Roots whose trees bring their broadcasts to this node, `self`, which needs none for its own. */
  served(self: string): string[] {
    const roots: string[] = [];
    for (const [root, { feeder }] of this.#trees) if (feeder !== undefined || root === self) roots.push(root);
    return roots;
  }

  /** Takes the link to a neighbour out of the tree of `root`. */
  prune(root: string, name: string): void {
    if (!this.#neighbours.has(name)) return;
    const tree = this.#tree(root);
    tree.lazy.add(name);
    if (tree.feeder === name) tree.feeder = undefined;
  }

  /** The tree of `root`, which is remembered from now on. */
  #tree(root: string): Tree {
    const known = this.#trees.get(root);
    if (known !== undefined) return known;
    const fresh = { lazy: new Set(this.#lazyOf(root)), heard: 0, feeder: undefined };
    this.#trees.set(root, fresh);
    for (const quietest of this.#trees.keys()) {
      if (this.#trees.size <= this.#rootsMax) break;
      this.#trees.delete(quietest);
    }
    return fresh;
  }

  #lazyOf(root = this.#last): ReadonlySet<string> {
    const last = this.#last === undefined ? undefined : this.#trees.get(this.#last);
    return (root === undefined ? last : this.#trees.get(root) ?? last)?.lazy ?? new Set();
  }
}
