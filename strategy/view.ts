// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";

/** Some nodes of the cluster, each name once. A value: every function here returns a new one, or the same when nothing changed. */
export type View = readonly NodeSpec[];

/**
 * The entry of that name.
 *
 * @example By name
 * ```ts
 * import { findNode } from "@partisan/peer-service/strategy";
 * import { assertEquals } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = (name: string, incarnation = 1) => ({
 *   name,
 *   incarnation,
 *   addresses: [],
 *   channels: { default: plain, membership: plain },
 *   metadata: {},
 * });
 * assertEquals(findNode([spec("a"), spec("b")], "b"), spec("b"));
 * assertEquals(findNode([spec("a")], "b"), undefined);
 * ```
 */
export function find(view: View, name: string): NodeSpec | undefined {
  return view.find((node) => node.name === name);
}

/** Whether the view has an entry of that name. */
export function has(view: View, name: string): boolean {
  return find(view, name) !== undefined;
}

/**
 * The view without the entry of that name.
 *
 * @example One fewer
 * ```ts
 * import { withoutNode } from "@partisan/peer-service/strategy";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = (name: string, incarnation = 1) => ({
 *   name,
 *   incarnation,
 *   addresses: [],
 *   channels: { default: plain, membership: plain },
 *   metadata: {},
 * });
 * const view = [spec("a"), spec("b")];
 * assertEquals(withoutNode(view, "a"), [spec("b")]);
 * assert(withoutNode(view, "c") === view);
 * ```
 */
export function without(view: View, name: string): View {
  return has(view, name) ? view.filter((node) => node.name !== name) : view;
}

/**
 * All entries of several views, each name once: the first one counts.
 *
 * @example Two views that overlap
 * ```ts
 * import { unionOfViews } from "@partisan/peer-service/strategy";
 * import { assertEquals } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = (name: string, incarnation = 1) => ({
 *   name,
 *   incarnation,
 *   addresses: [],
 *   channels: { default: plain, membership: plain },
 *   metadata: {},
 * });
 * assertEquals(unionOfViews([spec("a", 2)], [spec("a", 1), spec("b")]), [spec("a", 2), spec("b")]);
 * ```
 */
export function union(...views: readonly View[]): View {
  const byName = new Map<string, NodeSpec>();
  for (const view of views) {
    for (const node of view) if (!byName.has(node.name)) byName.set(node.name, node);
  }
  return [...byName.values()];
}

/** One of `items` at random; `undefined` when there is none. */
export function pick<T>(items: readonly T[], random: () => number): T | undefined {
  return items[Math.floor(random() * items.length)];
}
