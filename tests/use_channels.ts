// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../mod.ts";
import { PeerService } from "../manager/peer_service.ts";

/** Uses every channel that a node has with its peers, as messages would. @returns Whether each has all its connections, with sockets of their own. */
export function useChannels(node: PeerServiceManager): boolean {
  const peers = [...PeerService.nodeOf(node).pool.peers.values()].filter(({ up, wanted }) => up || wanted);
  for (const peer of peers) {
    for (const channel of peer.channels) if (peer.isAsleep(channel)) peer.wake?.(peer, channel);
  }
  return peers.every((peer) => peer.gaps().length === 0);
}
