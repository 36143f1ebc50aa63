// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A root that was heard so often gets a tree of its own: one of its broadcasts goes along all links. */
const OWN_TREE_AFTER = 8;

/**
 * A tree of which nothing was heard for so long is forgotten; except that of the last root, a copy of which others begin with. It is not worth
 * its repairs. Not a round number: two nodes may take a root that broadcasts at just this interval for quiet and for not.
 */
const QUIET_AFTER_MS = 100_003;

/** The tree of one root, as its links at this node. */
interface Tree {
  readonly lazy: Set<string>;
  /** Number of broadcasts heard of its root. */
  heard: number;
  /** Time at which a broadcast of its root was heard last, or it began. */
  usedAt: number;
  /** Neighbour by which the last broadcast of its root came first, or which was asked for the next ones since, as long as that is a neighbour. */
  feeder: string | undefined;
  /** Whether one that fed this node was lost, and no broadcast of the root has come since. */
  isCut: boolean;
}

/**
 * The neighbours of a node, and for each root which of them are lazy: the links to all others, the eager ones, belong to the
 * tree of that root. A neighbour that comes up is eager in every tree, until it says in which of them it needs nothing
 * of this node ({@linkcode BroadcastTrees.served}): a link that is new must not change trees that are whole.
 *
 * A new root begins with the links of the root that was heard last: rare roots share a tree, so that none of them has to flood the overlay. When
 * all share one, those inside it pass everything on, and its leaves nothing. So each node makes all links eager once it has heard a root for
 * some time: what comes first by each of them gives that root a tree of its own, by the fastest ways from it, and the load of many
 * roots is spread (the aim is that of M. Ferreira, J. Leitão and L. Rodrigues, "Thicket", SRDS 2010). Of too many roots one is forgotten that was
 * only spoken of, or else the one that was silent for longest. A neighbour that speaks of roots, which may be made up, has none forgotten.
 *
 * A node whose feeder in a tree is gone is cut off there, and so are those that it feeds. Each of them makes a link that was lazy one of the tree
 * ({@linkcode BroadcastTrees.cut}), and the tree hangs together again as soon as one of these leads to a node that is fed; the others make duplicates once.
 */
export class BroadcastTrees {
  readonly #self: string;
  readonly #rootsMax: number;
  readonly #neighbours = new Set<string>();
  /** By root, the one that was heard last comes last. */
  readonly #trees = new Map<string, Tree>();
  #last: string | undefined;

  /**
   * @param self Name of this node.
   * @param rootsMax Maximum of remembered roots.
   */
  constructor(self: string, rootsMax: number) {
    this.#self = self;
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
  touch(root: string, now: number): void {
    this.expire(now);
    const tree = this.#tree(root, now);
    tree.usedAt = now;
    tree.isCut = false;
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
    for (const tree of this.#trees.values()) tree.lazy.delete(name);
  }

  /** Forgets trees that were not used for long. */
  expire(now: number): void {
    for (const [root, { usedAt }] of this.#trees) {
      if (root === this.#last || now - usedAt < QUIET_AFTER_MS) break;
      this.#trees.delete(root);
    }
  }

  /** Roots whose broadcasts come by the neighbour `name`, or may: any link of a tree that is cut could be the one that brings them. */
  fedBy(name: string): string[] {
    return [...this.#trees.keys()].filter((root) => this.isFedBy(root, name));
  }

  /**
   * Whether broadcasts of `root` come by the neighbour `name`, or may. Those of this node itself are as if they came by all links of its tree: where it
   * loses one, all that hangs on it may know no other way to this node.
   */
  isFedBy(root: string, name: string): boolean {
    const tree = this.#trees.get(root);
    if (tree === undefined) return false;
    if (tree.feeder === name) return true;
    return (tree.isCut || root === this.#self) && this.#neighbours.has(name) && !tree.lazy.has(name);
  }

  /** Whether the link to `name` is one by which this node hangs together with the tree of `root`, and may be the only one. */
  needs(root: string, name: string): boolean {
    if (!this.#trees.has(root)) return false;
    const eager = this.eager(root);
    return eager.includes(name) && (this.isCut(root) || (root === this.#self && eager.length === 1));
  }

  /** Whether this node has lost its feeder in the tree of `root`, and no broadcast has come since. */
  isCut(root: string): boolean {
    return this.#trees.get(root)?.isCut ?? false;
  }

  /**
   * Takes note that no node feeds this one in the tree of `root` any more, and puts the link to one of `candidates` into it.
   *
   * @returns Names of neighbours that are to hear of it: that one, and, at the first time, those along the tree.
   */
  cut(root: string, candidates: readonly string[]): string[] {
    const tree = this.#trees.get(root);
    if (tree === undefined) return [];
    const isOwn = root === this.#self;
    const told = tree.isCut || isOwn ? [] : this.eager(root);
    tree.feeder = this.widen(root, candidates);
    tree.isCut = !isOwn || this.eager(root).length === 0;
    return tree.feeder === undefined ? told : [tree.feeder, ...told];
  }

  /** Puts the link to the first of `candidates` into the tree of `root` that is not in it. Returns its name, if there is one. */
  widen(root: string, candidates: readonly string[]): string | undefined {
    const lazy = this.#trees.get(root)?.lazy;
    return candidates.find((name) => lazy?.delete(name));
  }

  /** Makes the link to a neighbour one of the tree of `root`. */
  graft(root: string, name: string, now: number): void {
    this.#treeByWord(root, now)?.lazy.delete(name);
  }

  /** Makes the link by which a broadcast of `root` came first one of its tree. */
  feed(root: string, name: string, now: number): void {
    const tree = this.#tree(root, now);
    tree.lazy.delete(name);
    tree.feeder = this.#neighbours.has(name) ? name : undefined;
  }

  /** Roots whose trees bring their broadcasts to this node, which needs none for its own. */
  served(): string[] {
    const roots: string[] = [];
    for (const [root, { feeder, isCut }] of this.#trees) {
      if (!isCut && (feeder !== undefined || root === this.#self)) roots.push(root);
    }
    return roots;
  }

  /** Takes the link to a neighbour out of the tree of `root`. */
  prune(root: string, name: string, now: number): void {
    if (this.#neighbours.has(name)) this.#treeByWord(root, now)?.lazy.add(name);
  }

  /** The tree of a root of which a neighbour speaks; `undefined` when nothing is remembered of it, and other trees would have to be forgotten. */
  #treeByWord(root: string, now: number): Tree | undefined {
    return this.#trees.has(root) || this.#trees.size < this.#rootsMax ? this.#tree(root, now) : undefined;
  }

  /** The tree of `root`, which is remembered from now on. */
  #tree(root: string, now: number): Tree {
    const known = this.#trees.get(root);
    if (known !== undefined) return known;
    const model = this.#treeOf();
    const isCut = model?.isCut ?? false;
    const fresh = { lazy: new Set(model?.lazy), heard: 0, usedAt: now, feeder: undefined, isCut };
    this.#trees.set(root, fresh);
    if (this.#trees.size > this.#rootsMax) this.#forgetOne();
    return fresh;
  }

  /** Forgets the tree that is needed least, other than the last one. */
  #forgetOne(): void {
    const others = [...this.#trees].slice(0, -1);
    const [root] = others.find(([, { heard }]) => heard === 0) ?? others[0] ?? [];
    if (root !== undefined) this.#trees.delete(root);
  }

  /** The tree of `root`, or that which it would begin with: the one of the root that was heard last. */
  #treeOf(root?: string): Tree | undefined {
    return (root === undefined ? undefined : this.#trees.get(root)) ??
      (this.#last === undefined ? undefined : this.#trees.get(this.#last));
  }

  #lazyOf(root?: string): ReadonlySet<string> {
    return this.#treeOf(root)?.lazy ?? new Set();
  }
}
