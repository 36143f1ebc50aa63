// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";

/** Relayed messages of which word is awaited. */
const AWAITED_MAX = 16_384;

/** A message on its way over other nodes. */
export interface RelayedMessage {
  /** The node that it is for. */
  readonly node: string;
  /** The handler that it is for. */
  readonly name: string;
}

/**
 * The relayed messages without a guarantee of which the destination has not said that they have arrived. A node at which one
 * ends may not know that it was the only copy. So the destination tells that it has arrived, and the origin misses that word.
 */
export class RelayedMessages {
  readonly #patience: number;
  /** By number, the oldest first. */
  readonly #awaited = new Map<number, RelayedMessage & { readonly until: number }>();

  /** @param patience Milliseconds in which word must come. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** A message is on its way. Beyond a bound the oldest are awaited no longer. */
  add(number: number, { node, name }: RelayedMessage, now: number): void {
    this.#awaited.set(number, { node, name, until: now + this.#patience });
    forgetOldest(this.#awaited, AWAITED_MAX);
  }

  /** A node says that a message has arrived. */
  arrived(node: string, number: unknown): void {
    if (typeof number === "number" && this.#awaited.get(number)?.node === node) this.#awaited.delete(number);
  }

  /** Takes out those of which no word has come in time. */
  overdue(now: number): RelayedMessage[] {
    const overdue: RelayedMessage[] = [];
    for (const [number, message] of this.#awaited) {
      if (message.until > now) break;
      this.#awaited.delete(number);
      overdue.push(message);
    }
    return overdue;
  }
}
