// Copyright 2026 the Partisan peer-service authors. MIT license.

import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";

/** Whether a node keeps connections with all others. If not, others have to pass its messages on to most, and any neighbour may become one of those. */
export function keepsFullMesh(node: PeerServiceManager): boolean {
  return PeerService.nodeOf(node).settings.strategy.isFullMesh === true;
}
