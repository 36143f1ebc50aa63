// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../wire/frame_kind.ts";
import type { Peer } from "../connections/peer.ts";
import { sendValue } from "../connections/send_value.ts";

/**
 * Sends a value over the membership connection of a peer.
 *
 * @returns Whether it was queued: `false` when there is no such connection, its queue is full, or a partition is in between.
 */
export function sendControl(peer: Peer, kind: FrameKind, value: unknown): boolean {
  const connection = peer.membership;
  if (connection === null || (peer.partitioned && kind !== FrameKind.partition)) return false;
  return sendValue(connection, kind, value);
}
