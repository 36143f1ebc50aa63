// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Store of the state that a node keeps for its next incarnation: its name, its incarnation, and the members of the cluster.
 * That is some kilobytes, and is written anew as a whole at each change.
 *
 * A node has at most one call under way at a time. `fileStore()` keeps it in a file; anything else that can keep bytes will do.
 *
 * @example A store in the memory of this process
 * ```ts
 * import { type SnapshotStore, startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * let kept: Uint8Array | null = null;
 * const store: SnapshotStore = {
 *   load: () => Promise.resolve(kept),
 *   save: (bytes) => {
 *     kept = bytes;
 *     return Promise.resolve();
 *   },
 * };
 * await using b = await startPeerService({ name: "b" });
 * const a = await startPeerService({ name: "a", store });
 * await a.syncJoin(b.spec);
 * await a.stop();
 *
 * await using again = await startPeerService({ store });
 * assertEquals(again.members(), ["a", "b"]);
 * ```
 */
export interface SnapshotStore {
  /**
   * Reads what was saved last.
   *
   * @returns It, or `null` when nothing ever was.
   */
  load(): Promise<Uint8Array | null>;
  /**
   * Keeps `bytes` in place of what was saved before: all of them or, when it fails, none. Resolves once they would survive a
   * loss of power. They are not changed afterwards.
   */
  save(bytes: Uint8Array): Promise<void>;
  /**
   * Moves what is kept out of the way, because it is damaged; from then on there is nothing to load. A store that cannot do that leaves this
   * out: then the next save takes its place.
   *
   * @returns Its new place, in words for people.
   */
  setAside?(): Promise<string>;
  /**
   * Makes sure that no other node uses the same store, from before `load` until `unlock`. A store that cannot do that leaves both out: then two
   * nodes that are given it at the same time overwrite what the other one keeps.
   *
   * @throws When another node uses it.
   */
  lock?(): Promise<void>;
  /** Ends what `lock` began: the node has stopped, or did not start. */
  unlock?(): void;
}
