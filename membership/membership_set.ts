// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Dot } from "./dot.ts";
import { type Digest, DigestBuilder } from "./hash.ts";
import type { NodeSpec } from "./node_spec.ts";
import { OrSet } from "./or_set.ts";

/** A changed membership and the part of it that others have to merge. */
export interface MembershipChange {
  /** The whole membership after the change. */
  readonly set: MembershipSet;
  /** The change alone: a membership like any other, to be merged by all others. */
  readonly delta: MembershipSet;
}

/**
 * Who is in the cluster: an {@linkcode OrSet} of node specs, keyed by name.
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
 * assert(atA.merge(atB) === atA); // the old life of b is history
 *
 * const { set, delta } = atA.leave("b");
 * assertFalse(set.has("b"));
 * assertFalse(atA.merge(delta).has("b"));
 * ```
 */
export class MembershipSet {
  readonly #set: OrSet<string, NodeSpec>;
  #members: readonly NodeSpec[] | undefined;
  #digest: Digest | undefined;

  private constructor(set: OrSet<string, NodeSpec>) {
    this.#set = set;
  }

  /** The membership of which nothing is known. */
  static empty(): MembershipSet {
    return new MembershipSet(OrSet.empty());
  }

  /** The membership in which, for each dot, that is the newest seen of its name, and still there if it has a spec. */
  static from(entries: Iterable<readonly [newest: Dot, spec: NodeSpec | undefined]>): MembershipSet {
    return new MembershipSet(OrSet.from(
      Iterator.from(entries).map(([{ actor, incarnation, counter }, value]) => [actor, {
        context: { incarnation, contiguous: counter, cloud: [] },
        live: value === undefined ? [] : [{ counter, key: actor, value }],
      }]),
    ));
  }

  /** The members' specs, sorted by name (UTF-16 code units). */
  get members(): readonly NodeSpec[] {
    return this.#members ??= this.#set.records.values.flatMap(({ live }) => live.slice(-1).map(({ value }) => value));
  }

  /** Every name of which something is known, the absent ones too, ascending. */
  get names(): readonly string[] {
    return this.#set.records.keys;
  }

  /** Whether that name is a member. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** What that member said of itself last, or `undefined` when it is not a member. */
  get(name: string): NodeSpec | undefined {
    return this.#set.records.get(name)?.live.at(-1)?.value;
  }

  /** The newest dot that was seen of that name, whether it is still a member or not. */
  newest(name: string): Dot | undefined {
    const context = this.#set.records.get(name)?.context;
    return context && { actor: name, incarnation: context.incarnation, counter: context.contiguous };
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

  /** Removes a node. That life of it never comes back; a later one may. */
  leave(name: string): MembershipChange {
    return this.#changed(this.#set.remove(name).set, name);
  }

  /** The least membership that knows what both know. This very set when `other` knows nothing new. */
  merge(other: MembershipSet): MembershipSet {
    return this.#with(this.#set.merge(other.#set));
  }

  /** What is known of `names`: a delta, fit to be merged anywhere. */
  only(names: Iterable<string>): MembershipSet {
    return new MembershipSet(this.#set.only(names));
  }

  /** This membership as if it had never heard of `name`. Another node may tell of it again, even of a life that was removed. */
  forget(name: string): MembershipSet {
    return this.#with(this.#set.forget(name));
  }

  /** A hash of who is a member by which dot. What is known of absent names is not in it. */
  digest(): Digest {
    if (this.#digest !== undefined) return this.#digest;
    const builder = new DigestBuilder();
    for (const [index, { context, live }] of this.#set.records.values.entries()) {
      if (live.length === 0) continue;
      builder.addText(this.names[index]!);
      builder.addInteger(context.incarnation);
      builder.addInteger(live.at(-1)!.counter);
    }
    return this.#digest = builder.digest();
  }

  #changed(set: OrSet<string, NodeSpec>, name: string): MembershipChange {
    return { set: this.#with(set), delta: new MembershipSet(set.only([name])) };
  }

  #with(set: OrSet<string, NodeSpec>): MembershipSet {
    return set === this.#set ? this : new MembershipSet(set);
  }
}
