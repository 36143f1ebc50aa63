// Copyright 2026 the Partisan peer-service authors. MIT license.

import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { entryToValue, type GroupEntry } from "./group_entry.ts";
import { GroupIndex } from "./group_index.ts";
import { sharedBy } from "./shared.ts";

/** A name of a group or of a scope is not longer, in UTF-16 code units. */
const NAME_LENGTH_MAX = 200;

/** A membership that this node holds. */
export interface OwnEntry {
  readonly group: string;
  entry: GroupEntry;
}

/**
 * The groups of one scope, over one node: reads the attributes of all nodes into an index, and writes those of this node's own
 * memberships. Shared by all objects of that scope over that node.
 */
export class MembershipAttributes {
  readonly index: GroupIndex = new GroupIndex();
  readonly #node: PeerServiceManager;
  readonly #prefix: string;
  readonly #own = new Map<string, OwnEntry>();
  #nextId = 0;

  private constructor(node: PeerServiceManager, scope: string) {
    this.#node = node;
    this.#prefix = `g/${scope}/`;
    for (const name of PeerService.nodeOf(node).attributes.owners) {
      for (const [key, value] of node.attributes(name)) this.#changed(name, key, value);
    }
    node.addEventListener("attribute", ({ detail: { node: name, key, value } }) => this.#changed(name, key, value));
    // A node that is drained gives its work to others.
    node.onAttribute("draining", (name, value) => {
      if (name === node.name && value === true) { for (const id of [...this.#own.keys()]) this.remove(id); }
    });
  }

  /** Those of a scope over a node. */
  static of(node: PeerServiceManager, scope: string): MembershipAttributes {
    checkName(scope, "scope");
    return sharedBy(node, `groups/${scope}`, () => new MembershipAttributes(node, scope));
  }

  /** The memberships of this node, by number. */
  get own(): ReadonlyMap<string, OwnEntry> {
    return this.#own;
  }

  /** Adds a membership of this node. @returns Its number. */
  add(group: string, { meta, weight, takesMessages }: Pick<GroupEntry, "meta" | "weight" | "takesMessages">): string {
    checkName(group, "group");
    if (!(weight > 0) || !Number.isFinite(weight)) {
      throw new RangeError(`Cannot join "${group}": weight is ${weight}, expected a number above 0`);
    }
    const id = (this.#nextId++).toString(36);
    const since = Math.floor(this.#node.runtime.clock.wallTime());
    this.#write(id, { group, entry: { node: this.#node.name, id, meta, since, weight, takesMessages } });
    return id;
  }

  /** Says something else of a membership of this node. @returns Whether there is one of that number. */
  update(id: string, meta: unknown): boolean {
    const own = this.#own.get(id);
    if (own === undefined) return false;
    this.#write(id, { group: own.group, entry: { ...own.entry, meta } });
    return true;
  }

  /** Ends a membership of this node. @returns Whether there was one of that number. */
  remove(id: string): boolean {
    if (!this.#own.delete(id)) return false;
    // With a node that has stopped all of them are gone.
    if (!this.#node.stopSignal.aborted) this.#node.setAttribute(this.#prefix + id, undefined);
    return true;
  }

  /** Has a stream end when the node stops. */
  endWithNode(stream: { end(): void; readonly ended: Promise<void> }): void {
    endWithNode(this.#node, stream);
  }

  #write(id: string, own: OwnEntry): void {
    this.#node.setAttribute(this.#prefix + id, entryToValue(own.group, own.entry));
    this.#own.set(id, own);
  }

  #changed(node: string, key: string, value: unknown): void {
    if (key.startsWith(this.#prefix)) this.index.set(node, key.slice(this.#prefix.length), value);
  }
}

/** @throws {TypeError} When a name of a group or a scope can be none. */
export function checkName(name: string, what: string): void {
  if (typeof name === "string" && name !== "" && name.length <= NAME_LENGTH_MAX) return;
  throw new TypeError(`Cannot use "${name}" as a ${what}: expected 1 to ${NAME_LENGTH_MAX} characters`);
}

/** Has a stream end when a node stops. */
export function endWithNode(
  { stopSignal }: PeerServiceManager,
  stream: { end(): void; readonly ended: Promise<void> },
): void {
  const end = () => stream.end();
  if (stopSignal.aborted) return end();
  stopSignal.addEventListener("abort", end, { once: true });
  stream.ended.then(() => stopSignal.removeEventListener("abort", end));
}
