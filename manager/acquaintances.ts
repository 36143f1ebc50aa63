// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Members that this node, in this incarnation or a former one, has been connected with. Others may be made up, and are not worth keeping. */
export class Acquaintances {
  readonly #connected = new Set<string>();
  #met: Set<string>;

  /** @param former Names that a former incarnation has kept. */
  constructor(former: Iterable<string> = []) {
    this.#met = new Set(former);
  }

  /** A node is connected. @returns Whether that is news. */
  linked(name: string): boolean {
    this.#connected.add(name);
    return !this.#met.has(name);
  }

  /** A node is connected no longer. */
  unlinked(name: string): void {
    this.#connected.delete(name);
  }

  /** Forgets who is no member and not connected, and keeps in mind the members that are. */
  update(members: Iterable<string>): void {
    const met = new Set<string>();
    for (const name of members) if (this.has(name)) met.add(name);
    this.#met = met;
  }

  /** Whether this node has been connected with a member. */
  has(name: string): boolean {
    return this.#connected.has(name) || this.#met.has(name);
  }
}
