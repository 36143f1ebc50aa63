// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { StreamEnd } from "./stream_end.ts";
import { Halves } from "./stream_frames.ts";

/** So many bytes may wait in a writable before its writer is asked to wait. */
const WRITABLE_BYTES = 64 * 1024;

/** The two halves of a stream, as web streams. */
export interface StreamHalves {
  /** Bytes that the other side writes. A reader with `mode: "byob"` has memory of its own filled, and no other is taken. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Bytes for the other side to read. */
  readonly writable: WritableStream<Uint8Array>;
}

/** A stream to another node. */
export interface ByteStreamPair extends StreamHalves {
  /** Resolves once both sides have written and read everything; rejects with what ended the stream early. */
  readonly closed: Promise<void>;
}

/** Makes web streams of an end. */
export function byteStreams(end: StreamEnd): ByteStreamPair {
  let readable: ReadableByteStreamController | undefined;
  let writable: WritableStreamDefaultController | undefined;
  const pair = {
    readable: new ReadableStream({
      type: "bytes",
      start: (controller) => void (readable = controller),
      pull: (controller) => pull(end, controller),
      cancel: (reason) => end.giveUp(Halves.reading, reason ?? cancelled()),
    }),
    writable: new WritableStream<Uint8Array>({
      start: (controller) => void (writable = controller),
      write: (chunk) => write(end, chunk),
      close: () => end.end(),
      abort: (reason) => end.giveUp(Halves.writing, reason ?? cancelled()),
    }, { highWaterMark: WRITABLE_BYTES, size: (chunk) => chunk?.byteLength ?? 1 }),
    closed: end.closed,
  };
  end.attach({
    writingFailed: (error) => writable!.error(error),
    readingEnded: () => close(readable!),
    readingFailed: (error) => readable!.error(error),
  });
  return pair;
}

async function pull(end: StreamEnd, controller: ReadableByteStreamController): Promise<void> {
  await end.readable();
  // A reader that brings memory of its own has it filled; any other one is handed memory.
  const request = controller.byobRequest;
  if (request?.view) {
    const bytes = end.takeInto(request.view as Uint8Array);
    if (bytes > 0) request.respond(bytes);
  } else {
    const chunk = end.take();
    if (chunk !== undefined) controller.enqueue(chunk);
  }
  end.tellReading();
}

/** A reader that brought memory of its own waits until that is handed back to it. */
function close(controller: ReadableByteStreamController): void {
  controller.close();
  controller.byobRequest?.respond(0);
}

function write(end: StreamEnd, chunk: unknown): Promise<void> | undefined {
  if (chunk instanceof Uint8Array) return end.write(chunk);
  const error = new TypeError(`Cannot write to a stream: the chunk is ${typeof chunk}, expected a Uint8Array`);
  end.giveUp(Halves.writing, error);
  throw error;
}

function cancelled(): DOMException {
  return new DOMException("The stream was given up", "AbortError");
}
