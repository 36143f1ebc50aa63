// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";

/** What belongs to a node is found by the node, and ends with it: nothing here outlives it or is seen by another one. */
const OWNED = new WeakMap<PeerServiceManager, Map<string, unknown>>();

/** What several objects over one node share: made by the first that asks. */
export function sharedBy<T>(node: PeerServiceManager, key: string, create: () => T): T {
  const owned = OWNED.get(node) ?? new Map<string, unknown>();
  OWNED.set(node, owned);
  if (!owned.has(key)) owned.set(key, create());
  return owned.get(key) as T;
}
