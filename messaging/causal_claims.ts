// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Blocker } from "./causal_buffer.ts";
import { DELIVERY_WINDOW } from "./deduplication.ts";

/**
 * Limits of what this node believes of others about messages that a participant has sent here. A participant has no more
 * outstanding at a receiver than the delivery window holds, so that a number further ahead was made up. And one that is there
 * repeats its message until it comes: a number that nothing of it shows for long was made up, too.
 */
export class CausalClaims {
  /** By participant: the highest number of it that came, whatever became of that. */
  readonly #shown = new Map<string, number>();
  /** By participant: the number up to which it was waited for in vain. */
  readonly #doubted = new Map<string, number>();

  /** A message with that number came from `participant` itself. */
  show(participant: string, sequence: number): void {
    if (sequence > (this.#shown.get(participant) ?? 0)) this.#shown.set(participant, sequence);
  }

  /** Whether something is to wait for a message of which others tell, when `delivered` is the last one that was delivered. */
  isBelieved({ from, sequence }: Blocker, delivered: number): boolean {
    return sequence - delivered <= DELIVERY_WINDOW && sequence > (this.#doubted.get(from) ?? 0);
  }

  /** Ends the belief in a message that was waited for in vain. Returns whether that is so: it stays when the participant has shown it. */
  doubt({ from, sequence }: Blocker): boolean {
    if ((this.#shown.get(from) ?? 0) >= sequence) return false;
    this.#doubted.set(from, sequence);
    return true;
  }

  /** Forgets a participant. */
  forget(participant: string): void {
    this.#shown.delete(participant);
    this.#doubted.delete(participant);
  }
}
