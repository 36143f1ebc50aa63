// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ConnectionPool } from "../connections/connection_pool.ts";
import { DEFAULT_CHANNEL } from "../connections/peer.ts";
import type { Calls } from "./calls.ts";
import type { Registry } from "./registry.ts";

/** The name under which managers ask each other whether a connection's messages have come. */
const FLUSH_NAME = "\0flush";

/** Waits until a node has taken what was sent to it on a channel. */
export class Flushing {
  readonly #pool: ConnectionPool;
  readonly #calls: Calls;

  constructor(registry: Registry, pool: ConnectionPool, calls: Calls) {
    this.#pool = pool;
    this.#calls = calls;
    registry.reserve(FLUSH_NAME, () => null);
  }

  /**
   * Asks over each connection of the channel. The question comes behind the messages of its connection; an answer over each one tells
   * that all of them came. The default channel is asked as well, because it carries what a channel without a connection should.
   *
   * @returns Resolves when all have answered, or the node is gone. Never rejects.
   */
  async flush(node: string, channel: string): Promise<void> {
    const peer = this.#pool.peers.get(node);
    if (peer === undefined) return;
    const asked = [];
    for (const name of new Set([channel, DEFAULT_CHANNEL])) {
      for (let slot = 0; slot < peer.slotsOn(name); slot++) asked.push(this.#ask(node, name, slot));
    }
    await Promise.allSettled(asked);
  }

  #ask(node: string, channel: string, partitionKey: number): Promise<unknown> {
    const question = { node, name: FLUSH_NAME, message: null, options: { channel, partitionKey } };
    return this.#calls.call(question, undefined, new AbortController().signal);
  }
}
