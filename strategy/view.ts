// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";

/** Some nodes of the cluster, each name once. A value: every function here returns a new one, or the same when nothing changed. */
export type View = readonly NodeSpec[];

/** The entry of that name. */
export function find(view: View, name: string): NodeSpec | undefined {
  return view.find((node) => node.name === name);
}

/** Whether the view has an entry of that name. */
export function has(view: View, name: string): boolean {
  return find(view, name) !== undefined;
}

/** The view without the entry of that name. */
export function without(view: View, name: string): View {
  return has(view, name) ? view.filter((node) => node.name !== name) : view;
}

/** All entries of several views, each name once: the first one counts. */
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
