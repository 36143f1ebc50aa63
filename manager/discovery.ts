// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Address } from "../wire/address.ts";

/**
 * Source of addresses of other nodes, which is asked again and again for as long as the node runs. Its answers only add
 * addresses: no address is forgotten because an answer did not name it.
 *
 * @example A source of one's own, that notices changes
 * ```ts
 * import { type Address, type Discovery, startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * const found: Address[] = [];
 * const changes = new EventTarget();
 * const registry: Discovery = {
 *   name: "registry",
 *   lookup: () => Promise.resolve(found),
 *   watch: (changed, signal) => changes.addEventListener("change", changed, { signal }),
 * };
 * registry.watch?.(() => console.log("changed"), new AbortController().signal);
 * assertEquals(await registry.lookup(new AbortController().signal), []);
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b", discovery: registry });
 * const joined = Promise.withResolvers<void>();
 * using _up = b.onUp("a", () => joined.resolve());
 * found.push(...a.spec.addresses);
 * changes.dispatchEvent(new Event("change"));
 * await joined.promise;
 * assertEquals(b.members(), ["a", "b"]);
 * ```
 */
export interface Discovery {
  /** Name of the source in {@linkcode DiscoveryStatus} and in warnings. */
  readonly name: string;
  /**
   * Addresses at which other nodes may be. This node's own address may be among them.
   *
   * @param signal Aborted when the answer is not awaited any more.
   * @throws When it cannot tell: that is not the same as an empty answer.
   */
  lookup(signal: AbortSignal): Promise<readonly Address[]>;
  /**
   * Says when it is worth asking again, for a source that can notice that. Left out, it is asked from time to time.
   *
   * @param changed To be called whenever the answer may be another one.
   * @param signal Aborted when the node stops.
   */
  watch?(changed: () => void, signal: AbortSignal): void;
}

/** Outcome of an address that a {@linkcode Discovery} named. */
export interface DiscoveredAddress {
  /** The address. */
  readonly address: Address;
  /**
   * `"self"`: this node itself; `"member"`: a node that is a member already; `"joined"`: it was joined because of this answer;
   * `"trying"`: no answer from there yet; otherwise why it was not joined, in words.
   */
  readonly outcome: string;
}

/** Last answer of one {@linkcode Discovery}. */
export interface DiscoveryStatus {
  /** Its name. */
  readonly name: string;
  /** Time at which it last answered or failed, in milliseconds since the epoch; `null` before that. */
  readonly at: number | null;
  /** Error of the last look-up; `null` when it did not. */
  readonly error: unknown;
  /** The addresses of its last answer that was one, and what came of each. */
  readonly addresses: readonly DiscoveredAddress[];
}
