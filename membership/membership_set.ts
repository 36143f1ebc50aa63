// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Dot } from "./dot.ts";
import { type Digest, DigestBuilder } from "../wire/hash.ts";
import { memberSince, type NodeSpec } from "../wire/node_spec.ts";
import { OrSet, type OrSetRecord } from "./or_set.ts";
import type { SortedMap } from "./sorted_map.ts";

/** A changed membership and the part of it that others have to merge. */
export interface MembershipChange {
  /** The whole membership after the change. */
  readonly set: MembershipSet;
  /** The change alone: a membership like any other, to be merged by all others. */
  readonly delta: MembershipSet;
}

/**
 * The members of the cluster: an {@linkcode OrSet} of node specs, keyed by name.
 *
 * Only a node itself adds itself, under its own name as the actor and its own incarnation, and each of its additions
 * replaces the one before. So there is one entry a name, the newest; and all that has ever to be remembered of a
 * name is its newest dot and whether that is still there. A delta is always all that is known of some names.
 *
 * Sets never change: every method returns another one, or the same when there is nothing to change.
 *
 * @example Two nodes form a cluster, one restarts, one leaves
 * ```ts
 * import { MembershipSet, type NodeSpec } from "@partisan/peer-service/membership";
 * import { assert, assertEquals, assertFalse } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = (name: string, incarnation: number): NodeSpec => ({
 *   name,
 *   incarnation,
 *   addresses: [],
 *   channels: { default: plain, membership: plain },
 *   metadata: {},
 * });
 *
 * let atA = MembershipSet.empty().add(spec("a", 1)).set;
 * const atB = MembershipSet.empty().add(spec("b", 1)).set;
 * atA = atA.merge(atB);
 * assertEquals(atA.members.map((member) => member.name), ["a", "b"]);
 *
 * atA = atA.merge(MembershipSet.empty().add(spec("b", 2)).set);
 * assertEquals(atA.get("b")?.incarnation, 2);
 * assert(atA.merge(atB) === atA); // the old incarnation of b is history
 *
 * const { set, delta } = atA.leave("b");
 * assertFalse(set.has("b"));
 * assertFalse(atA.merge(delta).has("b"));
 * ```
 *
 * @example What two nodes have to tell each other
 * ```ts
 * import { MembershipSet, type NodeSpec } from "@partisan/peer-service/membership";
 * import { assertEquals, assertNotEquals } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = (name: string): NodeSpec => ({
 *   name,
 *   incarnation: 1,
 *   addresses: [],
 *   channels: { default: plain, membership: plain },
 *   metadata: {},
 * });
 *
 * const both = MembershipSet.empty().add(spec("a")).set.merge(MembershipSet.empty().add(spec("b")).set);
 * assertEquals(both.others("a"), [spec("b")]);
 * assertEquals(both.only(["b"]).memberNames, ["b"]);
 *
 * const entries = both.dots().map((dot) => [dot, both.get(dot.actor)] as const);
 * assertEquals(MembershipSet.from(entries).digest(), both.digest());
 *
 * const { set } = both.leave("b");
 * assertNotEquals(set.digest(), both.digest());
 * assertEquals(set.newest("b"), both.newest("b"));
 * assertEquals(set.forget("b").newest("b"), undefined);
 * ```
 */
export class MembershipSet {
  readonly #set: OrSet<string, NodeSpec>;
  /** Specifications of the members by the set: kept with it so that asking costs nothing. */
  readonly #specs: SortedMap<NodeSpec>;
  #digest: Digest | undefined;
  /** For the name that was asked for last, which is nearly always the same. */
  #others: { readonly name: string; readonly specs: readonly NodeSpec[] } | undefined;

  private constructor(set: OrSet<string, NodeSpec>, specs: SortedMap<NodeSpec>) {
    this.#set = set;
    this.#specs = specs;
  }

  /** The membership of which nothing is known. */
  static empty(): MembershipSet {
    return MembershipSet.#empty;
  }

  /** The membership in which, for each dot, that is the newest seen of its name, and still there if it has a spec. */
  static from(entries: Iterable<readonly [newest: Dot, spec: NodeSpec | undefined]>): MembershipSet {
    const records: [string, OrSetRecord<string, NodeSpec>][] = [];
    for (const [{ actor, incarnation, counter }, value] of entries) {
      const context = { incarnation, contiguous: counter, cloud: [] };
      records.push([actor, { context, live: value === undefined ? [] : [{ counter, key: actor, value }] }]);
    }
    return MembershipSet.#of(OrSet.from(records));
  }

  static #of(set: OrSet<string, NodeSpec>): MembershipSet {
    return new MembershipSet(set, set.records.map(specOf));
  }

  static readonly #empty = MembershipSet.#of(OrSet.empty());

  /** The members' specs, sorted by name (UTF-16 code units). */
  get members(): readonly NodeSpec[] {
    return this.#specs.values;
  }

  /** The members' names, ascending. */
  get memberNames(): readonly string[] {
    return this.#specs.keys;
  }

  /** Every name of which something is known, the absent ones too, ascending. */
  get names(): readonly string[] {
    return this.#set.records.keys;
  }

  /** The members without that one. */
  others(name: string): readonly NodeSpec[] {
    if (this.#others?.name !== name) this.#others = { name, specs: this.#specs.valuesWithout(name) };
    return this.#others.specs;
  }

  /** Whether that name is a member. */
  has(name: string): boolean {
    return this.#specs.has(name);
  }

  /** Last specification of that member by itself, or `undefined` when it is not a member. */
  get(name: string): NodeSpec | undefined {
    return this.#specs.get(name);
  }

  /** The newest dot that was seen of that name, whether it is still a member or not. */
  newest(name: string): Dot | undefined {
    const record = this.#set.records.get(name);
    return record && newestDot(name, record);
  }

  /** The dots by which members are members, sorted by name. */
  dots(): Dot[] {
    const dots: Dot[] = [];
    const { keys, values } = this.#set.records;
    for (let index = 0; index < keys.length; index++) {
      if (values[index]!.live.length > 0) dots.push(newestDot(keys[index]!, values[index]!));
    }
    return dots;
  }

  /**
   * Adds a node, or what it has to say anew. Only ever to be done by that node itself.
   *
   * @throws {RangeError} When a newer incarnation of it is known.
   */
  add(spec: NodeSpec): MembershipChange {
    const author = { actor: spec.name, incarnation: spec.incarnation };
    return this.#changed(this.#set.add(author, spec.name, spec).set, spec.name);
  }

  /** Removes a node. That incarnation of it never comes back; a later one may. */
  leave(name: string): MembershipChange {
    return this.#changed(this.#set.remove(name).set, name);
  }

  /**
   * The least membership that knows what both know. This very set when `other` knows nothing new. An incarnation that goes on with one that was removed
   * is removed as well: its node was away then, and could not know.
   */
  merge(other: MembershipSet): MembershipSet {
    let set = this.#set.merge(other.#set);
    for (const name of other.names) {
      const ours = this.#set.records.get(name);
      const theirs = other.#set.records.get(name)!;
      if (ours !== undefined && (goesOn(ours, theirs) || goesOn(theirs, ours))) set = set.remove(name).set;
    }
    return this.#with(set, other.names);
  }

  /** Part of the set about `names`: a delta, fit to be merged anywhere. */
  only(names: Iterable<string>): MembershipSet {
    const set = this.#set.only(names);
    return set.records.size === 0 ? MembershipSet.#empty : MembershipSet.#of(set);
  }

  /** This membership as if it had never heard of `name`. Another node may tell of it again, even of an incarnation that was removed. */
  forget(name: string): MembershipSet {
    return this.#with(this.#set.forget(name), [name]);
  }

  /** A hash of who is a member by which dot. Knowledge of absent names is not in it. */
  digest(): Digest {
    if (this.#digest !== undefined) return this.#digest;
    const builder = new DigestBuilder();
    for (const { actor, incarnation, counter } of this.dots()) {
      builder.addText(actor);
      builder.addInteger(incarnation);
      builder.addInteger(counter);
    }
    return this.#digest = builder.digest();
  }

  #changed(set: OrSet<string, NodeSpec>, name: string): MembershipChange {
    return { set: this.#with(set, [name]), delta: MembershipSet.#of(set.only([name])) };
  }

  /** The membership of `set`, which differs from the present one at most in `names` (ascending). */
  #with(set: OrSet<string, NodeSpec>, names: readonly string[]): MembershipSet {
    if (set === this.#set) return this;
    let specs = this.#specs;
    const changes: [string, NodeSpec][] = [];
    for (const name of names) {
      const spec = specOf(set.records.get(name));
      if (spec === undefined) specs = specs.without(name);
      else if (spec !== specs.get(name)) changes.push([name, spec]);
    }
    return new MembershipSet(set, specs.with(changes));
  }
}

function specOf(record: OrSetRecord<string, NodeSpec> | undefined): NodeSpec | undefined {
  return record?.live.at(-1)?.value;
}

/** Whether `later` is an incarnation that goes on with the one in `record`, which was removed. */
function goesOn(record: OrSetRecord<string, NodeSpec>, later: OrSetRecord<string, NodeSpec>): boolean {
  const spec = specOf(later);
  if (spec?.since === undefined || record.live.length > 0) return false;
  const { incarnation } = record.context;
  return incarnation < spec.incarnation && memberSince(spec) <= incarnation;
}

/** Additions of one node replace each other, so that all that were ever seen are contiguous. */
function newestDot(actor: string, { context: { incarnation, contiguous } }: OrSetRecord<string, NodeSpec>): Dot {
  return { actor, incarnation, counter: contiguous };
}
