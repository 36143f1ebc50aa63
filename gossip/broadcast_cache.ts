// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type BroadcastId, broadcastKey } from "./broadcast_id.ts";

/** Bounds of the recent broadcasts that are kept for nodes that missed them. */
export interface BroadcastCacheOptions {
  /**
   * Most broadcasts.
   *
   * @default {1_000}
   */
  readonly cacheMessages?: number;
  /**
   * Most bytes.
   *
   * @default {8_388_608}
   */
  readonly cacheBytes?: number;
  /**
   * Milliseconds from the broadcast itself, wherever that was, after which it is dropped.
   *
   * @default {60_000}
   */
  readonly cacheAge?: number;
}

/** A broadcast that is kept. */
export interface CachedBroadcast<T> {
  /** Identity of the broadcast. */
  readonly id: BroadcastId;
  /** Payload of the broadcast. */
  readonly payload: T;
  /** Bytes that it counts for. */
  readonly bytes: number;
  /** Time of its broadcast, on the local clock. */
  readonly bornAt: number;
  /** Whether it came outside the tree, and the tree has not brought it since. */
  readonly isRepaired: boolean;
}

/**
 * Recent broadcasts, oldest first. All nodes drop one at about the same time, because its age travels with it: otherwise
 * it could go round without end among nodes that forget and learn it again.
 */
export class BroadcastCache<T> {
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  readonly #ageMax: number;
  /** By id: what came under it. That is more than one only where another node has made up a number that the root uses. */
  readonly #broadcasts = new Map<string, CachedBroadcast<T>[]>();
  #size = 0;
  #bytes = 0;

  /** Begins empty. */
  constructor({ cacheMessages = 1_000, cacheBytes = 8 * 1024 * 1024, cacheAge = 60_000 }: BroadcastCacheOptions) {
    this.#messagesMax = cacheMessages;
    this.#bytesMax = cacheBytes;
    this.#ageMax = cacheAge;
  }

  /** Number of broadcasts that are kept. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that they count for together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a broadcast, at the cost of the oldest; one that is too old or too large is not kept. */
  add(broadcast: CachedBroadcast<T>, now: number): void {
    if (now - broadcast.bornAt >= this.#ageMax || broadcast.bytes > this.#bytesMax) return;
    const key = broadcastKey(broadcast.id);
    const versions = this.#broadcasts.get(key);
    if (versions === undefined) this.#broadcasts.set(key, [broadcast]);
    else versions.push(broadcast);
    this.#size++;
    this.#bytes += broadcast.bytes;
    this.expire(now);
  }

  /** Broadcasts that are kept under an id. */
  get(id: BroadcastId): readonly CachedBroadcast<T>[] {
    return this.#broadcasts.get(broadcastKey(id)) ?? [];
  }

  /** Takes note that the tree has brought a broadcast, or will. Returns whether that is news. */
  confirm(id: BroadcastId): boolean {
    const key = broadcastKey(id);
    const versions = this.#broadcasts.get(key);
    if (versions === undefined || !versions.some(({ isRepaired }) => isRepaired)) return false;
    this.#broadcasts.set(key, versions.map((version) => ({ ...version, isRepaired: false })));
    return true;
  }

  /** Ids of all that are kept. */
  ids(): BroadcastId[] {
    return Array.from(this.#broadcasts.values(), ([first]) => first!.id);
  }

  /** Drops what is too old or too much. */
  expire(now: number): void {
    for (const [key, versions] of this.#broadcasts) {
      const isTooMuch = this.#size > this.#messagesMax || this.#bytes > this.#bytesMax;
      if (!isTooMuch && now - versions[0]!.bornAt < this.#ageMax) break;
      this.#broadcasts.delete(key);
      this.#size -= versions.length;
      for (const { bytes } of versions) this.#bytes -= bytes;
    }
  }
}
