// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../transport/frame_kind.ts";
import { encodeInto } from "../transport/message_pack_encode.ts";
import type { Peer } from "../transport/peer.ts";

/**
 * Sends a value that nodes say to each other on their own account, over the membership connection.
 *
 * @returns Whether it was queued: `false` when there is no such connection, its queue is full, or a partition is in between.
 */
export function sendControl(peer: Peer, kind: FrameKind, value: unknown): boolean {
  const queue = peer.membership?.queue;
  if (queue === undefined || (peer.partitioned && kind !== FrameKind.partition)) return false;
  const writer = queue.begin(kind);
  try {
    encodeInto(writer, value);
  } catch (error) {
    queue.rollback();
    throw error;
  }
  if (!queue.hasRoomFor(queue.frameBytes)) {
    queue.rollback();
    return false;
  }
  queue.commit();
  return true;
}
