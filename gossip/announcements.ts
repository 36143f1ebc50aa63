// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type BroadcastId, broadcastKey } from "./broadcast_id.ts";

/**
 * The announcements that are due at the next lazy tick, by receiver. That comes a lazy interval after the oldest broadcast in it was begun,
 * wherever that was: what has been on its way for longer is announced at once, because those that are told of it may have
 * been cut off with the one that tells.
 */
export class Announcements {
  readonly #interval: number;
  readonly #max: number;
  readonly #waiting = new Map<string, BroadcastId[]>();
  #dueAt = Infinity;

  /**
   * @param interval Milliseconds for which announcements are collected.
   * @param max Maximum that is kept per neighbour; those beyond are dropped.
   */
  constructor(interval: number, max: number) {
    this.#interval = interval;
    this.#max = max;
  }

  /** Time of the next lazy tick; `Infinity` when there is nothing to announce. */
  get nextAt(): number {
    return this.#dueAt;
  }

  /** Lets the next lazy tick announce a broadcast, begun at `bornAt`, to `name`, which was not told of it before. */
  add(name: string, id: BroadcastId, bornAt: number): void {
    const ids = this.#waiting.get(name) ?? [];
    if (ids.length >= this.#max) return;
    ids.push(id);
    this.#waiting.set(name, ids);
    this.#dueAt = Math.min(this.#dueAt, bornAt + this.#interval);
  }

  /** Drops what was to be announced to `name`. */
  forget(name: string): void {
    this.#waiting.delete(name);
  }

  /** Takes back the announcement of one broadcast to `name`. Returns whether it was still to be made. */
  takeBack(name: string, id: BroadcastId): boolean {
    const ids = this.#waiting.get(name) ?? [];
    const key = broadcastKey(id);
    const index = ids.findIndex((other) => broadcastKey(other) === key);
    if (index !== -1) ids.splice(index, 1);
    return index !== -1;
  }

  /** Takes what is to be announced to `name` of some roots, due or not. */
  takeFor(name: string, roots: ReadonlySet<string>): BroadcastId[] {
    const ids = this.#waiting.get(name) ?? [];
    const taken = ids.filter(({ root }) => roots.has(root));
    if (taken.length > 0) this.#waiting.set(name, ids.filter(({ root }) => !roots.has(root)));
    return taken;
  }

  /** Takes the announcements that are due, by neighbour. */
  take(now: number): [name: string, ids: BroadcastId[]][] {
    if (this.#dueAt > now) return [];
    const due = [...this.#waiting].filter(([, ids]) => ids.length > 0);
    this.#waiting.clear();
    this.#dueAt = Infinity;
    return due;
  }
}
