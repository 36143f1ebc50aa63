// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ReadingBudget } from "../wire/frame_reader.ts";

interface Waiter {
  readonly holder: object;
  readonly bytes: number;
  readonly resolve: () => void;
}

/**
 * Bounds what is held of the half-read frames of one peer, over all its connections. A connection takes room for a whole large frame before it
 * reads on, so that every frame that has room can come to its end; the others wait in turn, and their sockets with them.
 */
export class ReadingRoom {
  readonly #max: number;
  /** Most peers never send a frame that needs room. */
  #taken: Map<object, number> | undefined;
  #waiting: Waiter[] = [];
  #used = 0;

  /** @param max Bytes; a frame that is larger gets room when no other frame has any. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Bytes that are taken. */
  get used(): number {
    return this.#used;
  }

  /** The part of one connection. */
  for(holder: object): ReadingBudget {
    return new Share(this, holder);
  }

  /** Takes room for a frame that `holder` reads. @returns Promise to wait for when there is none. */
  take(holder: object, bytes: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#grant(holder, bytes);
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push({ holder, bytes, resolve }));
  }

  /** Gives back what `holder` has taken, or ends its waiting for it. */
  give(holder: object): void {
    this.#used -= this.#taken?.get(holder) ?? 0;
    this.#taken?.delete(holder);
    for (const { resolve } of this.#waiting.filter((waiter) => waiter.holder === holder)) resolve();
    this.#waiting = this.#waiting.filter((waiter) => waiter.holder !== holder);
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0]!.bytes)) {
      const { holder, bytes, resolve } = this.#waiting.shift()!;
      this.#grant(holder, bytes);
      resolve();
    }
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.#max;
  }

  #grant(holder: object, bytes: number): void {
    this.#used += bytes;
    this.#taken ??= new Map();
    this.#taken.set(holder, (this.#taken.get(holder) ?? 0) + bytes);
  }
}

/** The part of one connection. */
class Share implements ReadingBudget {
  readonly #room: ReadingRoom;
  readonly #holder: object;

  constructor(room: ReadingRoom, holder: object) {
    this.#room = room;
    this.#holder = holder;
  }

  take(bytes: number): Promise<void> | undefined {
    return this.#room.take(this.#holder, bytes);
  }

  give(): void {
    this.#room.give(this.#holder);
  }
}
