// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Digest } from "../wire/hash.ts";
import type { AttributeVersion } from "./attribute_message.ts";
import type { AttributeRecord, ChangedAttribute } from "./attribute_record.ts";

/** An attribute of a node that can be seen here changed. */
export interface AttributeEvent extends ChangedAttribute {
  /** Name of the owner. */
  readonly node: string;
}

const NO_EVENTS: readonly AttributeEvent[] = [];
const NONE: ReadonlyMap<string, { readonly value: Uint8Array }> = new Map();

/** Record of an owner at this node. */
export interface AttributeOwner {
  readonly record: AttributeRecord;
  /** Time at which its version last rose, on the local clock. */
  renewedAt: number;
  /** Its part of the digest, while it has one. */
  hash: Digest | null;
}

/**
 * The records of all owners, which of them count, and which of them can be seen. A record counts, in digests and summaries, while its owner
 * is a member; where no node knows all members, until it expires. It can be seen while it counts and its owner is not known to be down.
 */
export class AttributeDirectory {
  readonly #knowsAll: boolean;
  readonly #owners = new Map<string, AttributeOwner>();
  readonly #members = new Map<string, number>();
  readonly #hidden = new Set<string>();
  #high = 0;
  #low = 0;

  /** @param knowsAll Whether all members are known here. */
  constructor(knowsAll: boolean) {
    this.#knowsAll = knowsAll;
  }

  /** All owners, whether they count or not. */
  get owners(): ReadonlyMap<string, AttributeOwner> {
    return this.#owners;
  }

  /** Whether any record counts. */
  get isEmpty(): boolean {
    return this.#high === 0 && this.#low === 0;
  }

  /** A hash of all records that count, in no order. */
  get digest(): Digest {
    return { high: this.#high >>> 0, low: this.#low >>> 0 };
  }

  /** The versions of all records that count. */
  versions(): AttributeVersion[] {
    const counting = [...this.#owners.values()].filter(({ hash }) => hash !== null);
    return counting.map(({ record: { owner, incarnation, version } }) => ({ owner, incarnation, version }));
  }

  /** The incarnation by which a node is a member, if it is one that is known here. */
  memberIncarnation(node: string): number | undefined {
    return this.#members.get(node);
  }

  /** Whether the attributes of a node can be seen. */
  isVisible(node: string): boolean {
    const owner = this.#owners.get(node);
    return owner !== undefined && owner.hash !== null && !this.#hidden.has(node);
  }

  /** The attributes of a node that can be seen. */
  visible(node: string): ReadonlyMap<string, { readonly value: Uint8Array }> {
    return this.isVisible(node) ? this.#owners.get(node)?.record.entries ?? NONE : NONE;
  }

  /** Does something that concerns one owner, and may concern all of its attributes. @returns Changes that users see afterwards. */
  observing(node: string, change: () => void): readonly AttributeEvent[] {
    if (!this.#owners.has(node)) {
      change();
      const shown = this.visible(node);
      return shown.size === 0 ? NO_EVENTS : [...shown].map(([key, { value }]) => ({ node, key, value }));
    }
    const before = new Map([...this.visible(node)].map(([key, { value }]) => [key, value]));
    change();
    const after = this.visible(node);
    const gone = [...before.keys()].filter((key) => !after.has(key)).map((key) => ({ node, key, value: undefined }));
    const changed = [...after].filter(([key, { value }]) => before.get(key) !== value);
    return [...gone, ...changed.map(([key, { value }]) => ({ node, key, value }))];
  }

  /** A node is a member by that incarnation; its attributes can be seen, or are hidden. */
  setMember(node: string, incarnation: number, isVisible: boolean): void {
    this.#members.set(node, incarnation);
    if (isVisible) this.#hidden.delete(node);
    else this.#hidden.add(node);
    const owner = this.#owners.get(node);
    if (owner !== undefined) this.count(owner);
  }

  /** A node is no member any more, as far as this node knows. */
  removeMember(node: string): void {
    this.#members.delete(node);
    this.#hidden.delete(node);
  }

  /** Puts a record in the place of the one that its owner may have. */
  put(owner: AttributeOwner): void {
    this.drop(owner.record.owner);
    this.#owners.set(owner.record.owner, owner);
    this.count(owner);
  }

  /** Forgets all that is known of an owner. */
  drop(node: string): void {
    const owner = this.#owners.get(node);
    if (owner === undefined) return;
    this.discount(owner);
    this.#owners.delete(node);
  }

  /** Brings an owner's part of the digest up to date, after its version or its membership changed. */
  count(owner: AttributeOwner): void {
    this.discount(owner);
    const { record } = owner;
    const member = this.#members.get(record.owner);
    const counts = member === undefined ? !this.#knowsAll : member <= record.incarnation;
    if (record.version === 0 || !counts) return;
    owner.hash = record.hash();
    this.#toggle(owner.hash);
  }

  /** Takes an owner's part out of the digest. */
  discount(owner: AttributeOwner): void {
    if (owner.hash !== null) this.#toggle(owner.hash);
    owner.hash = null;
  }

  #toggle({ high, low }: Digest): void {
    this.#high ^= high;
    this.#low ^= low;
  }
}
