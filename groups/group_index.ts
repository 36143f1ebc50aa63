// Copyright 2026 the Partisan peer-service authors. MIT license.

import { entryFromValue, type GroupChange, type GroupEntry } from "./group_entry.ts";

/** Listener for the changes of a {@linkcode GroupIndex}. */
export type GroupListener = (change: GroupChange) => void;

/** The members of each group, as the attributes of all nodes say it. Pure: it is told what changes, and tells what that means. */
export class GroupIndex {
  /** Entries by group, then by node and number. */
  readonly #groups = new Map<string, Map<string, GroupEntry>>();
  /** The group of each entry. */
  readonly #groupOf = new Map<string, string>();
  readonly #listeners = new Map<string, Set<GroupListener>>();
  readonly #generalListeners = new Set<GroupListener>();

  /** Names of the groups that have members, sorted. */
  groups(): string[] {
    return [...this.#groups.keys()].sort();
  }

  /** The members of a group, by node and number. */
  members(group: string): GroupEntry[] {
    return [...this.#groups.get(group)?.values() ?? []].sort(compareEntries);
  }

  /** The members of a group in no order: without the cost of sorting them. */
  *each(group: string): IterableIterator<GroupEntry> {
    yield* this.#groups.get(group)?.values() ?? [];
  }

  /** Has a listener told of changes of a group. */
  listen(group: string, listener: GroupListener): Disposable {
    const listeners = this.#listeners.get(group) ?? new Set();
    this.#listeners.set(group, listeners);
    listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.#listeners.get(group) === listeners) this.#listeners.delete(group);
      },
    };
  }

  /** Has a listener told of changes of all groups, for as long as there is this index. */
  listenToAll(listener: GroupListener): void {
    this.#generalListeners.add(listener);
  }

  /** An attribute of a node changed: `undefined` when it was withdrawn, or its node cannot be seen any more. */
  set(node: string, id: string, value: unknown): void {
    const key = `${node.length} ${node} ${id}`;
    const found = value === undefined ? null : entryFromValue(node, id, value);
    const before = this.#groupOf.get(key);
    if (before !== undefined && before !== found?.group) this.#remove(before, key);
    if (found === null) return;
    const entries = this.#groups.get(found.group) ?? new Map<string, GroupEntry>();
    this.#groups.set(found.group, entries);
    const type = entries.has(key) ? "update" : "join";
    entries.set(key, found.entry);
    this.#groupOf.set(key, found.group);
    this.#tell({ type, group: found.group, entry: found.entry });
  }

  #remove(group: string, key: string): void {
    const entries = this.#groups.get(group);
    const entry = entries?.get(key);
    if (entries === undefined || entry === undefined) return;
    entries.delete(key);
    this.#groupOf.delete(key);
    if (entries.size === 0) this.#groups.delete(group);
    this.#tell({ type: "leave", group, entry });
  }

  #tell(change: GroupChange): void {
    for (const listener of [...this.#listeners.get(change.group) ?? [], ...this.#generalListeners]) listener(change);
  }
}

/** By node, then by the order in which the members of one node came. */
export function compareEntries(a: GroupEntry, b: GroupEntry): number {
  if (a.node !== b.node) return a.node < b.node ? -1 : 1;
  return a.id.length - b.id.length || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
