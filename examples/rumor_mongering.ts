// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Rumor mongering: a node that hears a rumor tells it to a few random members, which do the same; nothing is acknowledged.
 *
 * Demers et al., "Epidemic algorithms for replicated database maintenance" (PODC 1987), section 1.4: a node that meets others that know
 * the rumor already loses interest, here after `patience` fruitless rounds.
 *
 * @module
 */

import type { PeerServiceManager } from "@partisan/peer-service";

const HANDLER = "rumor";

/** Options of a {@linkcode RumorMonger}. */
export interface RumorMongerOptions {
  /** Members told in each round. */
  readonly fanout: number;
  /** Rounds for which a rumor stays hot. */
  readonly patience: number;
  /** Called in each round; a number in [0, 1). */
  readonly random: () => number;
}

/** One node's part in spreading rumors. Its owner calls `round()` now and then. */
export class RumorMonger {
  /** Every rumor heard so far, in the order in which they came. */
  readonly heard: Set<string> = new Set();
  readonly #node: PeerServiceManager;
  readonly #options: RumorMongerOptions;
  readonly #hot = new Map<string, number>();

  /** Begins to listen. */
  constructor(node: PeerServiceManager, options: RumorMongerOptions) {
    this.#node = node;
    this.#options = options;
    node.register(HANDLER, (rumor: string) => this.tell(rumor));
  }

  /** Hears a rumor: from another node, or from this one's user. */
  tell(rumor: string): void {
    if (this.heard.has(rumor)) return;
    this.heard.add(rumor);
    this.#hot.set(rumor, this.#options.patience);
  }

  /** Tells each hot rumor to a few members. */
  round(): void {
    for (const [rumor, patience] of this.#hot) {
      for (const member of this.#someMembers()) this.#node.castMessage(member, HANDLER, rumor);
      if (patience > 1) this.#hot.set(rumor, patience - 1);
      else this.#hot.delete(rumor);
    }
  }

  #someMembers(): string[] {
    const others = this.#node.members().filter((name) => name !== this.#node.name);
    const chosen: string[] = [];
    while (chosen.length < this.#options.fanout && others.length > 0) {
      chosen.push(...others.splice(Math.floor(this.#options.random() * others.length), 1));
    }
    return chosen;
  }
}
