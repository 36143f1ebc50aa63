// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ChannelSpec } from "../wire/node_spec.ts";
import type { Runtime } from "../transport/runtime.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { FRAME_HEADER_BYTES, ProtocolError } from "../wire/frame_reader.ts";

/** Batches below this many bytes are not worth deflating: the call costs more than the bytes. */
export const COMPRESSION_MIN_BYTES = 1024;

/** Larger batches travel as they are, and none may inflate to more: what a small frame can cost stays bounded. */
export const INFLATED_MAX_BYTES = 8 * 1024 * 1024;

/** Bytes of a compressed frame's body before the deflated ones: the length of the batch. */
const LENGTH_BYTES = 4;

/** No byte of deflated data stands for more bytes than this. */
const RATIO_MAX = 1032;

/** The stream inflates at once what it is given at once: small pieces keep it from getting far beyond what is expected. */
const PIECE_BYTES = 4 * 1024;

/**
 * Deflates a batch of frames into one frame of kind `compressed`.
 *
 * @param limit Most bytes of a batch that the other end inflates, {@linkcode INFLATED_MAX_BYTES} at most.
 * @returns The frame, or `batch` itself where that is small, too large or does not shrink.
 */
export async function compressBatch(runtime: Runtime, batch: Uint8Array, limit: number): Promise<Uint8Array> {
  if (batch.length < COMPRESSION_MIN_BYTES || batch.length > Math.min(limit, INFLATED_MAX_BYTES)) return batch;
  const head = FRAME_HEADER_BYTES + LENGTH_BYTES;
  const frame = new Uint8Array(batch.length);
  const deflated = transform([batch], new CompressionStream("deflate-raw"), frame.subarray(head));
  const length = await runtime.outside(deflated);
  if (length === null) return batch;
  const view = new DataView(frame.buffer);
  view.setUint32(0, head + length - 4);
  frame[4] = FrameKind.compressed;
  view.setUint32(FRAME_HEADER_BYTES, batch.length);
  return frame.subarray(0, head + length);
}

/**
 * Inflates the body of a frame of kind `compressed`.
 *
 * @param limit Most bytes that it may inflate to, {@linkcode INFLATED_MAX_BYTES} at most.
 * @throws {ProtocolError} When it inflates to more, or is malformed.
 */
export async function decompressBatch(
  runtime: Runtime,
  body: Uint8Array,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (body.length < LENGTH_BYTES) throw malformed();
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0);
  const most = Math.min(limit, INFLATED_MAX_BYTES);
  if (length > most) throw new ProtocolError(`Cannot inflate a batch: it has ${length} bytes, the limit is ${most}`);
  if (length > RATIO_MAX * body.length) throw malformed();
  const batch = new Uint8Array(length);
  const inflated = transform(pieces(body), new DecompressionStream("deflate-raw"), batch);
  try {
    if (await runtime.outside(inflated) === length) return batch;
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed();
}

function malformed(cause?: unknown): ProtocolError {
  return new ProtocolError("Cannot inflate a batch: it is malformed", { cause });
}

function* pieces(body: Uint8Array): Generator<Uint8Array> {
  for (let at = LENGTH_BYTES; at < body.length; at += PIECE_BYTES) yield body.subarray(at, at + PIECE_BYTES);
}

/** Sends bytes through `stream`, into `target`. @returns Number of bytes that came out, or `null` when there is no room for all. */
async function transform(
  input: Iterable<Uint8Array>,
  stream: CompressionStream | DecompressionStream,
  target: Uint8Array,
): Promise<number | null> {
  // What goes wrong with it is seen by the reader as well.
  feed(stream.writable.getWriter(), input).catch(() => {});
  const reader = stream.readable.getReader();
  let length = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return length;
    if (length + value.length > target.length) {
      await reader.cancel();
      return null;
    }
    target.set(value, length);
    length += value.length;
  }
}

async function feed(writer: WritableStreamDefaultWriter, input: Iterable<Uint8Array>): Promise<void> {
  for (const piece of input) await writer.write(piece);
  await writer.close();
}

/** Whether a channel's batches are deflated, and taken in that form: where both sides have the channel, both must ask for it. */
export function agreesOnCompression(ours: ChannelSpec | undefined, theirs: ChannelSpec | undefined): boolean {
  const [one, other] = [ours ?? theirs, theirs ?? ours];
  return (one?.compression ?? false) && (other?.compression ?? false);
}
