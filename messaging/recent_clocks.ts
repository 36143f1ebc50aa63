// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";

/** Identities that are remembered after their message was acknowledged. */
const REMEMBERED_MAX = 4_096;

/** Identities that senders gave to their messages: one message each, however often it is forwarded. */
export class RecentClocks {
  readonly #sends = new Map<string, Promise<void>>();

  /** Runs `send` for a new identity; for a known one, returns what its first `send` promised. A failed one is forgotten. */
  once(identity: string, send: () => Promise<void>): Promise<void> {
    const known = this.#sends.get(identity);
    if (known !== undefined) return known;
    const sent = send();
    this.#sends.set(identity, sent);
    forgetOldest(this.#sends, REMEMBERED_MAX);
    sent.catch(() => this.#sends.delete(identity));
    return sent;
  }
}
