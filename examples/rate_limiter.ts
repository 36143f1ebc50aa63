// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * A rate limiter for the whole cluster: the bucket of each key is on the node that owns it, so any node may be asked and no node counts
 * for all. When nodes come or go, about 1/N of the keys move, and begin with a full bucket.
 *
 * @module
 */

import type { PeerServiceManager } from "@partisan/peer-service";
import { Placement } from "@partisan/peer-service/placement";
import { flag, startNode } from "./node.ts";

const HANDLER = "rate limiter";
/** As many buckets as a node keeps: the one that was used longest ago goes first. */
const BUCKETS_MAX = 100_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** Allows `rate` requests a second for each key, and up to `burst` at once. */
export class RateLimiter {
  readonly #placement: Placement;
  readonly #buckets = new Map<string, Bucket>();

  constructor(node: PeerServiceManager, { rate, burst }: { rate: number; burst: number }) {
    this.#placement = new Placement(node);
    node.register(HANDLER, (key: string) => {
      const now = node.runtime.clock.now();
      const { tokens, at } = this.#buckets.get(key) ?? { tokens: burst, at: now };
      const filled = Math.min(burst, tokens + (now - at) / 1_000 * rate);
      this.#buckets.delete(key);
      this.#buckets.set(key, { tokens: filled >= 1 ? filled - 1 : filled, at: now });
      const [oldest] = this.#buckets.keys();
      if (this.#buckets.size > BUCKETS_MAX && oldest !== undefined) this.#buckets.delete(oldest);
      return filled >= 1;
    });
  }

  /** Whether a request for a key may go on, as its owner counts. */
  async allows(key: string): Promise<boolean> {
    return await this.#placement.callOwner(key, HANDLER, key, { timeout: 5_000 }) === true;
  }
}

if (import.meta.main) {
  const node = await startNode();
  const limiter = new RateLimiter(node, { rate: 1, burst: 5 });
  Deno.serve(
    { hostname: "127.0.0.1", port: Number(flag("http") ?? 8_000), signal: node.stopSignal },
    async (request) => {
      const key = new URL(request.url).pathname;
      const isAllowed = await limiter.allows(key);
      console.log(`${key}: ${isAllowed ? "allowed" : "too many"}`);
      return new Response(isAllowed ? "hello\n" : "too many requests\n", { status: isAllowed ? 200 : 429 });
    },
  );
}
