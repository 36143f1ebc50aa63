// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";

/** Objects that belong to a node, found by the node. They end with it: nothing here outlives it or is seen by another one. */
const OWNED = new WeakMap<PeerServiceManager, Map<string, unknown>>();

/** Value that several objects over one node share, made for the first that asks. */
export function sharedBy<T>(node: PeerServiceManager, key: string, create: () => T): T {
  const owned = OWNED.get(node) ?? new Map<string, unknown>();
  OWNED.set(node, owned);
  if (!owned.has(key)) owned.set(key, create());
  return owned.get(key) as T;
}
