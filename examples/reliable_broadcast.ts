// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Reliable broadcast: every member that stays up delivers the same set of messages, even when their sender crashes half-way, because each
 * node passes on what it delivers for the first time.
 *
 * Guerraoui and Rodrigues, "Introduction to Reliable Distributed Programming" (2006), section 3.3: eager reliable broadcast. Acknowledged
 * messages make the links reliable that the algorithm asks for.
 *
 * @module
 */

import type { PeerServiceManager } from "@partisan/peer-service";

const HANDLER = "reliable broadcast";

interface Copy {
  readonly origin: string;
  readonly number: number;
  readonly message: unknown;
}

/** One node's part in reliable broadcast. */
export class ReliableBroadcast {
  readonly #node: PeerServiceManager;
  readonly #deliver: (message: unknown, origin: string) => void;
  readonly #delivered = new Set<string>();
  #count = 0;

  /**
   * Begins to listen.
   *
   * @param deliver Takes each message once.
   */
  constructor(node: PeerServiceManager, deliver: (message: unknown, origin: string) => void) {
    this.#node = node;
    this.#deliver = deliver;
    node.register(HANDLER, (copy: Copy) => this.#take(copy));
  }

  /** Broadcasts a message to every member, this one included. */
  broadcast(message: unknown): void {
    this.#take({ origin: this.#node.name, number: ++this.#count, message });
  }

  #take(copy: Copy): void {
    const key = `${copy.origin} ${copy.number}`;
    if (this.#delivered.has(key)) return;
    this.#delivered.add(key);
    for (const member of this.#node.members()) {
      if (member === this.#node.name || member === copy.origin) continue;
      // One that leaves, or this node's own end, are the only reasons for this to fail.
      this.#node.forwardMessage(member, HANDLER, copy, { ack: true, retransmission: { initial: 100, cap: 1_000 } })
        .catch(() => {});
    }
    this.#deliver(copy.message, copy.origin);
  }
}
