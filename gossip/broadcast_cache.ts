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
  readonly #broadcasts = new Map<string, CachedBroadcast<T>>();
  #bytes = 0;

  /** Begins empty. */
  constructor({ cacheMessages = 1_000, cacheBytes = 8 * 1024 * 1024, cacheAge = 60_000 }: BroadcastCacheOptions) {
    this.#messagesMax = cacheMessages;
    this.#bytesMax = cacheBytes;
    this.#ageMax = cacheAge;
  }

  /** Number of broadcasts that are kept. */
  get size(): number {
    return this.#broadcasts.size;
  }

  /** Bytes that they count for together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a broadcast, at the cost of the oldest; one that is too old or too large is not kept. */
  add(broadcast: CachedBroadcast<T>, now: number): void {
    if (now - broadcast.bornAt >= this.#ageMax || broadcast.bytes > this.#bytesMax) return;
    this.#broadcasts.set(broadcastKey(broadcast.id), broadcast);
    this.#bytes += broadcast.bytes;
    this.expire(now);
  }

  /** A broadcast that is kept. */
  get(id: BroadcastId): CachedBroadcast<T> | undefined {
    return this.#broadcasts.get(broadcastKey(id));
  }

  /** Takes note that the tree has brought a broadcast, or will. Returns whether that is news. */
  confirm(id: BroadcastId): boolean {
    const key = broadcastKey(id);
    const broadcast = this.#broadcasts.get(key);
    if (broadcast === undefined || !broadcast.isRepaired) return false;
    this.#broadcasts.set(key, { ...broadcast, isRepaired: false });
    return true;
  }

  /** Ids of all that are kept. */
  ids(): BroadcastId[] {
    return Array.from(this.#broadcasts.values(), ({ id }) => id);
  }

  /** Drops what is too old or too much. */
  expire(now: number): void {
    for (const [key, { bornAt, bytes }] of this.#broadcasts) {
      const isTooMuch = this.#broadcasts.size > this.#messagesMax || this.#bytes > this.#bytesMax;
      if (!isTooMuch && now - bornAt < this.#ageMax) break;
      this.#broadcasts.delete(key);
      this.#bytes -= bytes;
    }
  }
}
