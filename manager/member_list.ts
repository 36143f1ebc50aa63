// Copyright 2026 the Partisan peer-service authors. MIT license.

import { difference } from "../runtime/list_difference.ts";
import type { NodeSpec } from "../wire/node_spec.ts";

/** Change of a {@linkcode MemberList}. */
export interface MemberListChange {
  /** Those of whose name none was in it before. */
  readonly joined: readonly NodeSpec[];
  /** Those of which a newer incarnation is in it now. */
  readonly renewed: readonly NodeSpec[];
  /** Those of whose name none is in it any more. */
  readonly lost: readonly NodeSpec[];
}

/** Members by name, in the order of their names. Changes cost as much as they are large, besides one look along the references. */
export class MemberList implements ReadonlyMap<string, NodeSpec> {
  readonly #byName = new Map<string, NodeSpec>();
  #specs: readonly NodeSpec[] = [];
  #sorted: readonly NodeSpec[] = [];

  /** Number of members. */
  get size(): number {
    return this.#sorted.length;
  }

  /** The member of that name. */
  get(name: string): NodeSpec | undefined {
    return this.#byName.get(name);
  }

  /** Whether there is a member of that name. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** These are the members from now on, in whatever order. */
  replace(specs: readonly NodeSpec[]): MemberListChange {
    const joined: NodeSpec[] = [];
    const renewed: NodeSpec[] = [];
    const [gone, come] = difference(this.#specs, specs);
    for (const spec of come) {
      const known = this.#byName.get(spec.name);
      if (known === undefined) joined.push(spec);
      else if (spec.incarnation > known.incarnation) renewed.push(spec);
      this.#byName.set(spec.name, spec);
    }
    // Another one of the same name has come for the rest.
    const lost = gone.filter((spec) => this.#byName.get(spec.name) === spec);
    for (const { name } of lost) this.#byName.delete(name);
    if (come.length + gone.length > 0) this.#sorted = this.#isInOrder(specs, gone, come) ? specs : sorted(specs);
    this.#specs = specs;
    return { joined, renewed, lost };
  }

  /** Whether the list is known to be sorted: the one before was, and one member came to its place. */
  #isInOrder(specs: readonly NodeSpec[], gone: readonly NodeSpec[], come: readonly NodeSpec[]): boolean {
    if (this.#sorted !== this.#specs || gone.length > 0 || come.length !== 1) return false;
    const { name } = come[0]!;
    const index = specs.indexOf(come[0]!);
    const [before, after] = [specs[index - 1], specs[index + 1]];
    return (before === undefined || before.name < name) && (after === undefined || name < after.name);
  }

  /** The members, as they are now: what changes meanwhile is not seen. */
  values(): ArrayIterator<NodeSpec> {
    return this.#sorted.values();
  }

  /** Their names. */
  keys(): ArrayIterator<string> {
    return this.#sorted.map(({ name }) => name).values();
  }

  /** Both. */
  entries(): ArrayIterator<[string, NodeSpec]> {
    return this.#sorted.map((spec): [string, NodeSpec] => [spec.name, spec]).values();
  }

  [Symbol.iterator](): ArrayIterator<[string, NodeSpec]> {
    return this.entries();
  }

  forEach(callback: (spec: NodeSpec, name: string, map: ReadonlyMap<string, NodeSpec>) => void): void {
    for (const spec of this.#sorted) callback(spec, spec.name, this);
  }
}

/** Most strategies keep their members sorted: then there is nothing to sort, whenever another one is known. */
export function sorted(specs: readonly NodeSpec[]): readonly NodeSpec[] {
  const isSorted = specs.every(({ name }, index) => index === 0 || specs[index - 1]!.name < name);
  return isSorted ? specs : specs.toSorted((a, b) => a.name < b.name ? -1 : 1);
}
