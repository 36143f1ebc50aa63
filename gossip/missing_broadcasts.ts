// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";
import { type BroadcastId, broadcastKey } from "./broadcast_id.ts";

/** Maximum of remembered nodes that announced a broadcast. */
const ANNOUNCERS_MAX = 8;

interface MissingBroadcast {
  readonly id: BroadcastId;
  /** The nodes that can be asked for it, first one first. */
  readonly announcers: string[];
  readonly dueAt: number;
  /** Whether one that announced it was asked for it. */
  readonly isAsked: boolean;
}

/**
 * Broadcasts that others have announced and that have not come. Each is waited for a while, then its announcers are asked
 * one by one. Of too many the oldest are given up: the exchange of summaries will find them.
 */
export class MissingBroadcasts {
  readonly #timeout: number;
  readonly #max: number;
  /** In the order of their times, because all waits are of one length. */
  readonly #missing = new Map<string, MissingBroadcast>();

  /**
   * @param timeout Milliseconds before each question.
   * @param max Maximum that is remembered.
   */
  constructor(timeout: number, max: number) {
    this.#timeout = timeout;
    this.#max = max;
  }

  /** Number of missing broadcasts. */
  get size(): number {
    return this.#missing.size;
  }

  /** Takes note that `announcer` has a broadcast that has not come. */
  add(id: BroadcastId, announcer: string, now: number): void {
    const key = broadcastKey(id);
    const known = this.#missing.get(key);
    if (known === undefined) {
      this.#missing.set(key, { id, announcers: [announcer], dueAt: now + this.#timeout, isAsked: false });
      forgetOldest(this.#missing, this.#max);
    } else if (known.announcers.length < ANNOUNCERS_MAX && !known.announcers.includes(announcer)) {
      known.announcers.push(announcer);
    }
  }

  /** Ends the waiting for a broadcast. Returns whether it was missing. */
  delete(id: BroadcastId): boolean {
    return this.#missing.delete(broadcastKey(id));
  }

  /** Requests that are due, by node, among those that can be asked. */
  due(now: number, canBeAsked: (announcer: string) => boolean): Map<string, BroadcastId[]> {
    const due: MissingBroadcast[] = [];
    for (const missing of this.#missing.values()) {
      if (missing.dueAt > now) break;
      due.push(missing);
    }
    return this.#ask(due, now, canBeAsked);
  }

  /** Requests for the broadcasts of some roots that no node was asked for, whether they are due or not. */
  hurry(
    isUrgent: (root: string) => boolean,
    now: number,
    canBeAsked: (announcer: string) => boolean,
  ): Map<string, BroadcastId[]> {
    const urgent = this.#missing.values().filter(({ id, isAsked }) => !isAsked && isUrgent(id.root));
    return this.#ask([...urgent], now, canBeAsked);
  }

  #ask(
    wanted: readonly MissingBroadcast[],
    now: number,
    canBeAsked: (announcer: string) => boolean,
  ): Map<string, BroadcastId[]> {
    const questions = new Map<string, BroadcastId[]>();
    for (const missing of wanted) {
      const key = broadcastKey(missing.id);
      this.#missing.delete(key);
      const candidates = missing.announcers.filter(canBeAsked);
      // One that is asked already brings one link into the tree, two would bring a circle.
      const announcer = candidates.find((candidate) => questions.has(candidate)) ?? candidates[0];
      if (announcer === undefined) continue;
      const announcers = candidates.filter((candidate) => candidate !== announcer);
      const ids = questions.get(announcer);
      if (ids === undefined) questions.set(announcer, [missing.id]);
      else ids.push(missing.id);
      this.#missing.set(key, { id: missing.id, announcers, dueAt: now + this.#timeout, isAsked: true });
    }
    return questions;
  }

  /** Time at which {@linkcode due} will find something; `Infinity` when nothing is missing. */
  get nextAt(): number {
    for (const { dueAt } of this.#missing.values()) return dueAt;
    return Infinity;
  }
}
