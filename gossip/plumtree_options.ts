// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { BroadcastCacheOptions } from "./broadcast_cache.ts";

/** Options of a `Plumtree`. */
export interface PlumtreeOptions<T> extends BroadcastCacheOptions {
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Bytes that a payload counts for in the cache. */
  readonly sizeOf: (payload: T) => number;
  /**
   * Number that no node can find another payload for: by it what a root broadcasts is told from what others make up under its number.
   *
   * @default {() => 0}
   */
  readonly digestOf?: (payload: T) => number;
  /**
   * Milliseconds for which announcements are collected: the lazy tick.
   *
   * @default {1_000}
   */
  readonly lazyInterval?: number;
  /**
   * Milliseconds to wait for a broadcast that was announced before it is asked for. Well above the time that a broadcast takes
   * down the tree, or there will be duplicates; below half a lazy tick, so that two ticks are enough to repair the tree.
   *
   * @default {250}
   */
  readonly graftTimeout?: number;
  /**
   * Milliseconds between two exchanges of summaries with a random neighbour.
   *
   * @default {10_000}
   */
  readonly exchangeInterval?: number;
  /**
   * Most broadcasts that are known to be missing, and most announcements that wait for the lazy tick, per neighbour.
   *
   * @default {10_000}
   */
  readonly missingMax?: number;
  /**
   * Most nodes whose broadcasts are told from repetitions.
   *
   * @default {1_024}
   */
  readonly rootsMax?: number;
  /**
   * The present incarnation of a node, where it is known: what that broadcast in earlier ones is not delivered any more.
   *
   * @default {() => undefined}
   */
  readonly incarnationOf?: (root: string) => number | undefined;
}

/** Amount that a `Plumtree` keeps. */
export interface PlumtreeLoad {
  /** Broadcasts that are kept for those that missed them. */
  readonly cached: number;
  /** Bytes that they count for together. */
  readonly cachedBytes: number;
  /** Broadcasts that were announced and have not come. */
  readonly missing: number;
  /** Nodes whose broadcasts are remembered. */
  readonly roots: number;
}
