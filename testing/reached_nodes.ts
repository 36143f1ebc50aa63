// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";

/** Names of the nodes to which there is a way from the first one, along connections that both ends see. */
export function reachedNodes(nodes: readonly PeerServiceManager[]): Set<string> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const reached = new Set(nodes.slice(0, 1).map(({ name }) => name));
  for (const name of reached) {
    for (const other of byName.get(name)?.connected() ?? []) {
      if (byName.get(other)?.isConnected(name)) reached.add(other);
    }
  }
  return reached;
}
