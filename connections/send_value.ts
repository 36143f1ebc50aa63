// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "./connection.ts";
import type { FrameKind } from "../wire/frame_kind.ts";
import { encodeInto } from "../wire/message_pack_encode.ts";

/**
 * Sends a value that nodes say to each other on their own account.
 *
 * @returns Whether it was queued: `false` when the queue is full.
 * @throws {EncodeError} When the value cannot be encoded.
 */
export function sendValue({ queue, traffic }: Connection, kind: FrameKind, value: unknown): boolean {
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
  if (traffic !== undefined) traffic.valueBytes[kind]! += queue.frameBytes;
  queue.commit();
  return true;
}
