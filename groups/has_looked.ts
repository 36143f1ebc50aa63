// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";

/** Whether every source of a node has said once where others may be, and each was tried: a node that is alone then is so for good. */
export function hasLooked(node: PeerServiceManager): boolean {
  return node.discovery().every(({ at, addresses }) =>
    at !== null && addresses.every(({ outcome }) => outcome !== "trying")
  );
}
