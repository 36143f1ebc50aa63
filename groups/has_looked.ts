// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";

/**
 * Whether every source of a node has said once where others may be, each was tried, and so was what it was told to join: a node that is alone
 * then is so for good. A source that fails has said nothing; it is not waited for where others were found, nor is a join.
 */
export function hasLooked(node: PeerServiceManager): boolean {
  const hasFound = node.connected().length > 0;
  return (hasFound || node.stats().joining === 0) &&
    node.discovery().every(({ at, error, addresses }) =>
      at !== null && (hasFound || error === null || addresses.length > 0) &&
      addresses.every(({ outcome }) => outcome !== "trying")
    );
}
