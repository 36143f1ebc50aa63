// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../runtime/runtime.ts";
import { FrameKind } from "./frame_kind.ts";
import { FRAME_HEADER_BYTES, ProtocolError } from "./frame_reader.ts";

/** Batches below this many bytes are not worth deflating: the call costs more than the bytes. */
export const COMPRESSION_MIN_BYTES = 1024;

/**
 * Deflates a batch of frames into one frame of kind `compressed`.
 *
 * @returns The frame, or `batch` itself where that is small or does not shrink.
 */
export async function compressBatch(runtime: Runtime, batch: Uint8Array): Promise<Uint8Array> {
  if (batch.length < COMPRESSION_MIN_BYTES) return batch;
  const pieces = await runtime.outside(transform(batch, new CompressionStream("deflate-raw"), batch.length));
  if (pieces === null) return batch;
  const length = pieces.reduce((sum, piece) => sum + piece.length, FRAME_HEADER_BYTES);
  if (length >= batch.length) return batch;
  const frame = concatenate(pieces, length, FRAME_HEADER_BYTES);
  new DataView(frame.buffer).setUint32(0, length - 4);
  frame[4] = FrameKind.compressed;
  return frame;
}

/**
 * Inflates the body of a frame of kind `compressed`.
 *
 * @param limit Most bytes that it may inflate to: what a small frame can cost stays bounded.
 * @throws {ProtocolError} When it inflates to more, or is malformed.
 */
export async function decompressBatch(
  runtime: Runtime,
  body: Uint8Array,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let pieces: Uint8Array[] | null;
  try {
    pieces = await runtime.outside(transform(body, new DecompressionStream("deflate-raw"), limit));
  } catch (error) {
    throw new ProtocolError("Cannot inflate a batch: it is malformed", { cause: error });
  }
  if (pieces === null) throw new ProtocolError(`Cannot inflate a batch: it is larger than the limit of ${limit} bytes`);
  return concatenate(pieces, pieces.reduce((sum, piece) => sum + piece.length, 0), 0);
}

/** Sends `bytes` through `stream`; `null` when more than `limit` bytes come out. */
async function transform(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
  limit: number,
): Promise<Uint8Array[] | null> {
  const writer = stream.writable.getWriter();
  // What goes wrong here is seen by the reader as well.
  writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => {});
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return pieces;
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      return null;
    }
    pieces.push(value);
  }
}

function concatenate(pieces: readonly Uint8Array[], length: number, offset: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
