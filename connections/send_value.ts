// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "./connection.ts";
import { CONTROL_FRAME_BYTES, type FrameKind, isControlKind } from "../wire/frame_kind.ts";
import { encodeInto } from "../wire/message_pack_encode.ts";

/** Outcome of sending: `too-large` when the other end takes no frames of that size. */
export type SendOutcome = "sent" | "full" | "too-large";

/**
 * Sends a value that nodes say to each other on their own account.
 *
 * @returns Whether it was queued: `false` when the queue is full, or the other end takes no frames of that size.
 * @throws {EncodeError} When the value cannot be encoded.
 */
export function sendValue(connection: Connection, kind: FrameKind, value: unknown): boolean {
  return trySendValue(connection, kind, value) === "sent";
}

/**
 * The same, and says what was in the way.
 *
 * @throws {EncodeError} When the value cannot be encoded.
 */
export function trySendValue(connection: Connection, kind: FrameKind, value: unknown): SendOutcome {
  const { queue, traffic, maxFrameBytes } = connection;
  const writer = queue.begin(kind);
  try {
    encodeInto(writer, value);
  } catch (error) {
    queue.rollback();
    throw error;
  }
  const isTooLarge = queue.frameBytes - 4 > (isControlKind(kind) ? CONTROL_FRAME_BYTES : maxFrameBytes);
  if (isTooLarge || !queue.hasRoomFor(queue.frameBytes)) {
    queue.rollback();
    return isTooLarge ? "too-large" : "full";
  }
  if (traffic !== undefined) traffic.valueBytes[kind]! += queue.frameBytes;
  queue.commit();
  return "sent";
}
