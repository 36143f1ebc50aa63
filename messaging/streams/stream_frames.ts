// Copyright 2026 the Partisan peer-service authors. MIT license.

import { readU32 } from "../../wire/integers.ts";
import { TRACE_BYTES } from "../../wire/trace_context.ts";
import type { SendQueue } from "../../connections/send_queue.ts";
import type { ByteWriter } from "../../wire/byte_writer.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import type { BufferOwner, EncodedMessage, PayloadCodec } from "../../wire/payload_codec.ts";
import { encodeInto } from "../../wire/message_pack_encode.ts";
import type { RemoteError } from "../errors.ts";
import { remoteErrorFromValue, remoteErrorToValue } from "../failure.ts";

/** Form of a stream: bytes both ways, or the values of an `AsyncIterable` one way. */
export type StreamForm = "bytes" | "values";

/** Request for a stream. */
export interface StreamOpening {
  /** Form: bytes or values. */
  readonly form: StreamForm;
  /** Bytes that the opener has room for at first. */
  readonly window: number;
  /** Name of the handler. */
  readonly name: string;
  /** Message for the handler. */
  readonly message: unknown;
  /** Trace context of the stream, if it has one. */
  readonly trace?: Uint8Array | undefined;
}

/** Halves of a stream that its sender gives up: the one that it writes, the one that it reads, or both. */
export const Halves = { writing: 1, reading: 2, both: 3 } as const;

/** One of {@linkcode Halves}' numbers. */
export type Halves = typeof Halves[keyof typeof Halves];

/** Part of a connection's queue that streams use. */
export type StreamQueue = Pick<SendQueue, "begin" | "commit" | "hasRoomFor" | "written" | "closed">;

/** Most bytes of a frame that is neither an opening nor data, its header included. */
export const SMALL_FRAME_BYTES = 4 * 1024;

const FORMS: readonly StreamForm[] = ["bytes", "values"];
const NAME_BYTES_MAX = 1024;
/** Says in the form of an opening that a trace context stands behind the window. */
const TRACED_BIT = 0x80;

/** Writes a frame of kind `streamOpen`. */
export function writeOpening(
  queue: StreamQueue,
  codec: PayloadCodec,
  stream: number,
  { form, window, name, trace }: StreamOpening,
  message: EncodedMessage,
): void {
  const writer = queue.begin(FrameKind.streamOpen);
  writer.u32(stream);
  writer.u8(trace === undefined ? FORMS.indexOf(form) : FORMS.indexOf(form) | TRACED_BIT);
  writer.u32(window);
  if (trace !== undefined) writer.raw(trace);
  codec.writePrefixed(writer, name);
  queue.commit(codec.write(writer, message));
}

/**
 * Reads the body of a frame of kind `streamOpen`, behind its number.
 *
 * @throws {ProtocolError} When it is malformed.
 */
export function readOpening(
  codec: PayloadCodec,
  buffer: Uint8Array,
  start: number,
  end: number,
  owner: BufferOwner | undefined,
): StreamOpening {
  if (end - start < 9) throw malformed("opening");
  const isTraced = (buffer[start]! & TRACED_BIT) !== 0;
  const at = isTraced ? start + 5 + TRACE_BYTES : start + 5;
  if (end - at < 4) throw malformed("opening");
  const form = FORMS[buffer[start]! & ~TRACED_BIT];
  const [name, next] = codec.readPrefixed(buffer, at, end);
  if (form === undefined || typeof name !== "string" || next - at > NAME_BYTES_MAX) throw malformed("opening");
  const trace = isTraced ? buffer.slice(start + 5, at) : undefined;
  return { form, window: readU32(buffer, start + 1), name, message: codec.read(buffer, next, end, owner), trace };
}

/** Writes a frame of kind `streamAccept`. */
export function writeAccept(queue: StreamQueue, stream: number, window: number): void {
  const writer = queue.begin(FrameKind.streamAccept);
  writer.u32(stream);
  writer.u32(window);
  queue.commit();
}

/** Reads the body of a frame of kind `streamAccept`, behind its number. */
export function readAccept(buffer: Uint8Array, start: number, end: number): number {
  if (end - start !== 4) throw malformed("accept frame");
  return readU32(buffer, start);
}

/**
 * Writes a frame of kind `streamData`.
 *
 * @param wasHeld Whether it had to wait for credit: the highest bit of its position says so.
 */
export function writeData(
  queue: StreamQueue,
  stream: number,
  position: number,
  wasHeld: boolean,
  bytes: Uint8Array,
): void {
  const writer = queue.begin(FrameKind.streamData);
  writer.u32(stream);
  writeU48(writer, wasHeld ? position + HELD_BIT : position);
  writer.raw(bytes);
  queue.commit();
}

/** Bytes in front of those of a frame of kind `streamData`, its number not counted. */
export const POSITION_BYTES = 6;
const HELD_BIT = 2 ** 47;

/** Reads the position of data, and whether they had to wait for credit. */
export function readDataPosition(buffer: Uint8Array, start: number, end: number): [position: number, wasHeld: boolean] {
  const position = readPosition(buffer, start, end);
  return position >= HELD_BIT ? [position - HELD_BIT, true] : [position, false];
}

/** Writes a frame of kind `streamCredit` or `streamEnd`. */
export function writePosition(
  queue: StreamQueue,
  kind: typeof FrameKind.streamCredit | typeof FrameKind.streamEnd,
  stream: number,
  position: number,
): void {
  const writer = queue.begin(kind);
  writer.u32(stream);
  writeU48(writer, position);
  queue.commit();
}

/** Reads the position in a frame, behind its number. */
export function readPosition(buffer: Uint8Array, start: number, end: number): number {
  if (end - start < POSITION_BYTES) throw malformed("position");
  return (buffer[start]! << 8 | buffer[start + 1]!) * 2 ** 32 + readU32(buffer, start + 2);
}

/** Writes a frame of kind `streamReset`. */
export function writeReset(
  queue: StreamQueue,
  stream: number,
  halves: Halves,
  error: RemoteError,
): void {
  const writer = queue.begin(FrameKind.streamReset);
  writer.u32(stream);
  writer.u8(halves);
  encodeInto(writer, remoteErrorToValue(error));
  queue.commit();
}

/**
 * Reads the body of a frame of kind `streamReset`, behind its number.
 *
 * @throws {ProtocolError} When it is malformed.
 */
export function readReset(
  codec: PayloadCodec,
  buffer: Uint8Array,
  start: number,
  end: number,
): { readonly halves: Halves; readonly error: RemoteError } {
  const halves = buffer[start];
  const isFit = (halves === 1 || halves === 2 || halves === 3) && end - start > 1 && end - start <= SMALL_FRAME_BYTES;
  if (!isFit) throw malformed("reset");
  return { halves, error: remoteErrorFromValue(codec.readControl(buffer, start + 1, end)) };
}

/**
 * Reads the number of the stream that a frame belongs to.
 *
 * @throws {ProtocolError} When it is cut off.
 */
export function readNumber(buffer: Uint8Array, start: number, end: number): number {
  if (end - start < 4) throw malformed("frame");
  return readU32(buffer, start);
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(`Cannot read a stream: its ${what} is malformed`);
}

function writeU48(writer: ByteWriter, value: number): void {
  writer.u16(Math.floor(value / 2 ** 32));
  writer.u32(value % 2 ** 32);
}
