// Copyright 2026 the Partisan peer-service authors. MIT license.

import { ByteWriter } from "../../wire/byte_writer.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { FRAME_HEADER_BYTES, type FrameReader, ProtocolError } from "../../wire/frame_reader.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encodeInto } from "../../wire/message_pack_encode.ts";
import { HandshakeRefusedError, type Refusal, refusalFrom } from "./refusal.ts";
import type { ByteStream } from "../../transport/transport.ts";

/** Most frames of a handshake have room in it. */
const WRITER_BYTES = 512;

/** Makes a frame with `value` for a body, or without one. */
export function frameOf(kind: number, value?: unknown): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(WRITER_BYTES);
  writer.length = FRAME_HEADER_BYTES - 1;
  writer.u8(kind);
  if (value !== undefined) encodeInto(writer, value);
  writer.setU32(0, writer.length - FRAME_HEADER_BYTES + 1);
  return writer.written();
}

/** Writes one frame, outside any queue. */
export function sendFrame(stream: ByteStream, kind: number, value?: unknown): Promise<void> {
  return stream.write(frameOf(kind, value));
}

/**
 * Waits for a frame of one kind.
 *
 * @param trusted Whether the other end may be believed what it says of a newer incarnation when it refuses.
 * @returns The frame's body.
 * @throws {HandshakeRefusedError} When the other end refuses instead.
 * @throws {ProtocolError} When it does something else.
 */
export async function expectFrame(reader: FrameReader, kind: number, trusted: boolean): Promise<Uint8Array> {
  const frame = await reader.next();
  if (frame === null) throw new ProtocolError("Cannot finish the handshake: the other end closed the connection");
  if (frame.kind === FrameKind.refused) {
    const { known, ...refusal } = refusalFrom(record(frame.body, "refusal"));
    throw new HandshakeRefusedError(trusted && known !== undefined ? { ...refusal, known } : refusal);
  }
  if (frame.kind !== kind) {
    throw new ProtocolError(`Cannot finish the handshake: got frame kind ${frame.kind}, expected ${kind}`);
  }
  return frame.body;
}

/** Tells the other end why it is refused. @returns The error to throw here. */
export async function refuse(stream: ByteStream, refusal: Refusal): Promise<HandshakeRefusedError> {
  try {
    await sendFrame(stream, FrameKind.refused, refusal);
  } catch {
    // The other end is gone already: then it need not be told.
  }
  return new HandshakeRefusedError(refusal);
}

/** Reads a body that is a map. */
export function record(body: Uint8Array, what: string): Record<string, unknown> {
  const value = decodeBody(body, what);
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw malformed(what);
  }
  return value as Record<string, unknown>;
}

function decodeBody(body: Uint8Array, what: string): unknown {
  try {
    return decode(body);
  } catch (cause) {
    throw malformed(what, cause);
  }
}

/** What is thrown when a part of the handshake cannot be understood. */
export function malformed(what: string, cause?: unknown): ProtocolError {
  const detail = cause instanceof Error ? ` (${cause.message})` : "";
  return new ProtocolError(`Cannot finish the handshake: the ${what} is malformed${detail}`, { cause });
}
