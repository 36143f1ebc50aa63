// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteStream } from "../../transport/transport.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { type Frame, FRAME_HEADER_BYTES, ProtocolError } from "../../wire/frame_reader.ts";
import { Decoder } from "../../wire/message_pack_decode.ts";
import { encode, encodeInto } from "../../wire/message_pack_encode.ts";
import type { WriterPool } from "../writer_pool.ts";
import { HandshakeRefusedError, type Refusal, type RefusalCode, refusalFrom } from "./refusal.ts";

const EMPTY = new Uint8Array();

/** Elements that a frame of the handshake may have: what a specification of the largest size needs, and not what 60 KB of empty maps would cost. */
const BUDGET = 32_768;

/** The other end closed the connection in the middle of the handshake, without a word. */
export class ClosedEarlyError extends ProtocolError {}

/** Refusals that a stranger may send: it does not get further than that. */
const BY_STRANGERS: ReadonlySet<RefusalCode> = new Set(["version", "cluster", "secret", "protocol", "overloaded"]);

/** Makes a frame. */
export function frameOf(kind: number, body: Uint8Array = EMPTY): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  new DataView(frame.buffer).setUint32(0, body.length + 1);
  frame[FRAME_HEADER_BYTES - 1] = kind;
  frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}

/** Begins a frame in a writer. @returns Offset of its first byte, for {@linkcode endFrame}. */
export function beginFrame(writer: ByteWriter, kind: number): number {
  const start = writer.length;
  writer.reserve(FRAME_HEADER_BYTES);
  writer.length += FRAME_HEADER_BYTES - 1;
  writer.u8(kind);
  return start;
}

/** Ends the frame that begins at `start`. */
export function endFrame(writer: ByteWriter, start: number): void {
  writer.setU32(start, writer.length - start - 4);
}

/** Writes frames, outside any queue, that `write` puts into a writer of the pool. */
export function sendFrames(
  stream: ByteStream,
  writers: WriterPool | undefined,
  write: (writer: ByteWriter) => void,
): Promise<void> {
  const writer = writers?.take() ?? new ByteWriter();
  write(writer);
  const written = stream.write(writer.written());
  return writers === undefined ? written : written.then(() => writers.give(writer));
}

/** Writes one frame whose body is a value, outside any queue. */
export function sendValue(
  stream: ByteStream,
  writers: WriterPool | undefined,
  kind: number,
  value: unknown,
): Promise<void> {
  return sendFrames(stream, writers, (writer) => {
    const start = beginFrame(writer, kind);
    encodeInto(writer, value);
    endFrame(writer, start);
  });
}

/** Writes one frame, outside any queue. */
export function sendFrame(stream: ByteStream, kind: number, body?: Uint8Array): Promise<void> {
  return stream.write(frameOf(kind, body));
}

/** One piece of bytes made of two. */
export function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

/**
 * Checks that there was a frame, and that it is of one of these kinds.
 *
 * @param isTrusted Whether the other end is more than a stranger, when it refuses.
 * @throws {HandshakeRefusedError} When the other end refuses instead.
 * @throws {ProtocolError} When it does something else.
 */
export function checkFrame(frame: Frame | null, kinds: readonly number[], isTrusted: boolean): Frame {
  if (frame === null) throw new ClosedEarlyError("Cannot finish the handshake: the other end closed the connection");
  if (frame.kind === FrameKind.refused) {
    const refusal = refusalFrom(record(frame.body, "refusal"));
    throw new HandshakeRefusedError(isTrusted ? refusal : byStranger(refusal));
  }
  if (kinds.includes(frame.kind)) return frame;
  throw new ProtocolError(`Cannot finish the handshake: got frame kind ${frame.kind}, expected ${kinds.join(" or ")}`);
}

/** Takes away what is not believed of a stranger: news of newer incarnations, and of nodes other than itself. */
function byStranger({ code, reason }: Refusal): Refusal {
  return { code: BY_STRANGERS.has(code) ? code : "protocol", reason };
}

/**
 * Tells the other end that it is refused.
 *
 * @returns The error to throw here.
 */
export async function refuse(stream: ByteStream, refusal: Refusal): Promise<HandshakeRefusedError> {
  try {
    await sendFrame(stream, FrameKind.refused, encode(refusal));
  } catch {
    // The other end is gone already: then it need not be told.
  }
  return new HandshakeRefusedError(refusal);
}

/** A decoder of what is said in handshakes. One for all of them knows the keys that come in each. */
export function handshakeDecoder(): Decoder {
  return new Decoder(BUDGET);
}

/** Reads a body that is a map. */
export function record(
  body: Uint8Array,
  what: string,
  decoder: Decoder = handshakeDecoder(),
): Record<string, unknown> {
  const value = decodeBody(body, what, decoder);
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw malformed(what);
  }
  return value as Record<string, unknown>;
}

function decodeBody(body: Uint8Array, what: string, decoder: Decoder): unknown {
  try {
    return decoder.decode(body);
  } catch (cause) {
    throw malformed(what, cause);
  }
}

/** Error for a part of the handshake that cannot be understood. */
export function malformed(what: string, cause?: unknown): ProtocolError {
  const detail = cause instanceof Error ? ` (${cause.message})` : "";
  return new ProtocolError(`Cannot finish the handshake: the ${what} is malformed${detail}`, { cause });
}
