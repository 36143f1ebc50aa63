// Copyright 2026 the Partisan peer-service authors. MIT license.

import { readU16 } from "../wire/integers.ts";
import type { Connection } from "../connections/connection.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { ProtocolError } from "../wire/frame_reader.ts";
import { TRACE_BYTES } from "../wire/trace_context.ts";
import { type Envelope, readEnvelope, writeEnvelope } from "../wire/envelope.ts";
import { MessageTooLargeError } from "./errors.ts";
import { NumberedHandler } from "./numbered_handler.ts";
import { BIN_8, BIN_8_BYTES_MAX, type PayloadCodec } from "../wire/payload_codec.ts";

/** Handler names that one connection numbers, per direction; further ones travel with each message. */
const NUMBERED_NAMES_MAX = 4096;
/** The handler number that says: the name follows. */
const INLINE_NAME = 0;
const NAME_BYTES_MAX = 1024;
/** UTF-16 code units: no name can be registered that is longer. */
const NAME_LENGTH_MAX = 255;
/** Set in the number of a handler when the message was cast. */
export const CAST_BIT = 0x8000;
const NUMBER_MASK = 0x7fff;

/** `u32 length | u8 kind | u16 handler | u8 BIN_8 | u8 size`: what stands in front of a message of a few bytes. */
const SHORT_HEAD_BYTES = 9;

/** Bytes in front of the body in a frame of kind `traced`. */
export const TRACE_HEAD_BYTES: number = TRACE_BYTES + 1;

/** A message as it came off the wire. */
export interface InboundMessage {
  /** Name of the handler. */
  readonly name: string;
  /** Whether it was cast. */
  readonly cast: boolean;
  /** Guarantees that it carries, if any. */
  readonly envelope: Envelope | undefined;
  /** The message. */
  readonly message: unknown;
}

/**
 * Encodes a message straight into the connection's next batch.
 *
 * @param envelope Guarantees that the message carries; `undefined` for none.
 * @param trace Trace context of the message: left out where the peer does not know of traces.
 * @returns Whether it was queued: `false` when the queue is full.
 * @throws {EncodeError} When the message cannot be encoded.
 * @throws {MessageTooLargeError} When it is larger than a frame may be.
 * @throws {RangeError} When the name is longer than any that can be registered.
 */
export function writeMessage(
  connection: Connection,
  codec: PayloadCodec,
  name: string,
  cast: boolean,
  envelope: Envelope | undefined,
  message: unknown,
  trace?: Uint8Array,
): boolean {
  const { queue } = connection;
  // The name that is introduced here does not count: a message larger than the bound is taken when nothing else waits.
  const isAlone = queue.queuedBytes === 0;
  const number = connection.namesOut.get(name) ?? introduceName(connection, name);
  const kind = envelope === undefined ? FrameKind.message : FrameKind.envelope;
  const isTraced = trace !== undefined && connection.features.has("trace");
  const writer = queue.begin(isTraced ? FrameKind.traced : kind);
  let tail: Uint8Array | undefined;
  try {
    if (isTraced) {
      writer.raw(trace);
      writer.u8(kind);
    }
    writer.u16(cast ? number | CAST_BIT : number);
    if (number === INLINE_NAME) codec.writePrefixed(writer, name);
    if (envelope !== undefined) writeEnvelope(writer, codec, envelope);
    tail = codec.write(writer, message);
  } catch (error) {
    queue.rollback();
    throw error;
  }
  const bytes = queue.frameBytes + (tail?.length ?? 0);
  if (bytes - 4 > connection.maxFrameBytes) {
    queue.rollback();
    // A message is not to fail because it is watched.
    if (isTraced) return writeMessage(connection, codec, name, cast, envelope, message);
    throw new MessageTooLargeError(
      `Cannot send to "${name}" on "${connection.peer.name}": the message has ${bytes} bytes, the limit is ${connection.maxFrameBytes}`,
    );
  }
  if (!isAlone && !queue.hasRoomFor(bytes)) {
    queue.rollback();
    return false;
  }
  // A cast returns before its bytes are written, and its sender may change them then.
  connection.unconfirmed.add(envelope === undefined ? name : null);
  queue.commit(tail, cast && tail === message);
  return true;
}

/**
 * Copies a message of a few bytes into the connection's batch, where that is all there is to do: its handler has a number, and the
 * batch has room. The frame is the one that {@linkcode writeMessage} makes.
 *
 * @returns Whether it did; `false` when nothing has happened.
 */
export function appendShortMessage(connection: Connection, name: string, cast: boolean, message: Uint8Array): boolean {
  const { queue } = connection;
  const number = connection.namesOut.get(name);
  const size = message.length;
  const bytes = SHORT_HEAD_BYTES + size;
  if (number === undefined || size > BIN_8_BYTES_MAX || bytes - 4 > connection.maxFrameBytes) return false;
  const writer = queue.writerFor(bytes);
  if (writer === null) return false;
  const { length } = writer;
  writer.setU32(length, bytes - 4);
  writer.setU32(length + 4, FrameKind.message << 24 | (cast ? number | CAST_BIT : number) << 8 | BIN_8);
  writer.bytes[length + 8] = size;
  writer.bytes.set(message, length + SHORT_HEAD_BYTES);
  writer.length = length + bytes;
  queue.appended(bytes);
  connection.unconfirmed.add(name);
  return true;
}

/**
 * Reads the body of a frame of kind `message` or `envelope`.
 *
 * @param isLent Says whether the handler of the message has done with its bytes when it returns; false, unless given.
 */
export function readMessage(
  connection: Connection,
  codec: PayloadCodec,
  kind: number,
  buffer: Uint8Array,
  start: number,
  end: number,
  isLent?: (name: string, envelope: Envelope | undefined, connection: Connection) => boolean,
): InboundMessage {
  if (end - start < 2) throw new ProtocolError("Cannot read a message: it is truncated");
  const head = readU16(buffer, start);
  const number = head & NUMBER_MASK;
  let at = start + 2;
  const numbered = connection.namesIn[number];
  let name: unknown = numbered instanceof NumberedHandler ? numbered.name : undefined;
  if (number === INLINE_NAME) [name, at] = codec.readPrefixed(buffer, at, end);
  if (typeof name !== "string") {
    throw new ProtocolError(`Cannot read a message: handler number ${number} was never introduced`);
  }
  let envelope: Envelope | undefined;
  if (kind === FrameKind.envelope) [envelope, at] = readEnvelope(codec, buffer, at, end);
  const message = codec.read(buffer, at, end, isLent?.(name, envelope, connection) ? undefined : connection.reader);
  return { name, cast: (head & CAST_BIT) !== 0, envelope, message };
}

/**
 * Name that the handler's number in a body of kind `message` stands for. `undefined` when the name follows, or it was never
 * introduced.
 */
export function numberedHandler(
  connection: Connection,
  buffer: Uint8Array,
  start: number,
  end: number,
): NumberedHandler | undefined {
  if (end - start < 2) return undefined;
  const numbered = connection.namesIn[readU16(buffer, start) & NUMBER_MASK];
  return numbered instanceof NumberedHandler ? numbered : undefined;
}

/** Takes a frame of kind `handlerName`. */
export function readHandlerName(connection: Connection, body: Uint8Array): void {
  const names = connection.namesIn;
  if (names.length === 0) names.push(INLINE_NAME);
  if (body.length > NAME_BYTES_MAX || names.length >= NUMBERED_NAMES_MAX) {
    throw new ProtocolError("Cannot take a handler name: it is too long, or one too many");
  }
  names.push(new NumberedHandler(new TextDecoder("utf-8", { ignoreBOM: true }).decode(body)));
}

/** Gives a name a number on this connection; both sides count alike, so that the number itself need not be sent. */
function introduceName(connection: Connection, name: string): number {
  if (name.length > NAME_LENGTH_MAX) {
    throw new RangeError(
      `Cannot send to a handler: its name has ${name.length} characters, the limit is ${NAME_LENGTH_MAX}`,
    );
  }
  const number = connection.namesOut.size + 1;
  if (number >= NUMBERED_NAMES_MAX) return INLINE_NAME;
  connection.queue.begin(FrameKind.handlerName).raw(new TextEncoder().encode(name));
  connection.queue.commit();
  connection.namesOut.set(name, number);
  return number;
}

/**
 * Reads what stands in front of the body in a frame of kind `traced`.
 *
 * @returns The trace context, and the kind of the body behind it, which begins {@linkcode TRACE_HEAD_BYTES} later.
 * @throws {ProtocolError} When it is cut off, or neither of a `message` nor of an `envelope`.
 */
export function readTraceHead(
  buffer: Uint8Array,
  start: number,
  end: number,
): [trace: Uint8Array, kind: typeof FrameKind.message | typeof FrameKind.envelope] {
  if (end - start < TRACE_HEAD_BYTES) throw new ProtocolError("Cannot read a traced message: it is truncated");
  const kind = buffer[start + TRACE_BYTES]!;
  if (kind !== FrameKind.message && kind !== FrameKind.envelope) {
    throw new ProtocolError(`Cannot read a traced message: a frame of kind ${kind} cannot belong to a trace`);
  }
  return [buffer.slice(start, start + TRACE_BYTES), kind];
}
