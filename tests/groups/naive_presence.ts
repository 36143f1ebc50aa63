// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../../mod.ts";

/** Interface that {@linkcode Presence} and its naive forms have in common. */
export interface PresenceLike {
  track(topic: string, key: string, meta: unknown): unknown;
  untrack(topic: string, key: string): void;
  list(topic: string): Map<string, unknown[]>;
}

/** Remedies of a naive form, in addition to the broadcast of each change. */
export interface Remedies {
  /** Forgets the users of a node that is down. */
  readonly forgetsOnDown: boolean;
  /** Tells a node that comes up about all of its own users. */
  readonly tellsOnUp: boolean;
}

interface Change {
  readonly topic: string;
  readonly key: string;
  readonly meta: unknown;
  readonly isPresent: boolean;
}

/** Presence as one writes it in an afternoon: each change is broadcast, and each node keeps what it hears. */
export class NaivePresence implements PresenceLike {
  readonly #node: PeerServiceManager;
  readonly #users = new Map<string, Map<string, unknown>>();

  constructor(node: PeerServiceManager, { forgetsOnDown, tellsOnUp }: Remedies) {
    this.#node = node;
    node.register("presence", (change: Change, { from }) => this.#take(from, change));
    if (forgetsOnDown) node.onDown("*", (name) => void this.#users.delete(name));
    if (tellsOnUp) node.onUp("*", (name) => this.#tellAll(name));
  }

  track(topic: string, key: string, meta: unknown): void {
    this.#change({ topic, key, meta, isPresent: true });
  }

  untrack(topic: string, key: string): void {
    this.#change({ topic, key, meta: null, isPresent: false });
  }

  list(topic: string): Map<string, unknown[]> {
    const present = new Map<string, unknown[]>();
    for (const [, users] of [...this.#users].sort(([a], [b]) => a < b ? -1 : 1)) {
      for (const [place, meta] of users) {
        const [where, key] = JSON.parse(place);
        if (where === topic) present.set(key, [...present.get(key) ?? [], meta]);
      }
    }
    return new Map([...present].sort(([a], [b]) => a < b ? -1 : 1));
  }

  #change(change: Change): void {
    this.#take(this.#node.spec.name, change);
    this.#node.broadcast("presence", change);
  }

  #take(from: string, { topic, key, meta, isPresent }: Change): void {
    const users = this.#users.get(from) ?? new Map<string, unknown>();
    this.#users.set(from, users);
    const place = JSON.stringify([topic, key]);
    if (isPresent) users.set(place, meta);
    else users.delete(place);
  }

  #tellAll(node: string): void {
    for (const [place, meta] of this.#users.get(this.#node.spec.name) ?? []) {
      const [topic, key] = JSON.parse(place);
      this.#node.castMessage(node, "presence", { topic, key, meta, isPresent: true });
    }
  }
}
